// Hosts that are not as usual: files of /proc that are cut or gone, times of two clocks, swap that the host denies, files
// that a kernel does not have, programs behind the wrappers of NixOS, users that are created later, folders that may not
// be entered, no inotify left, a user namespace, and clients whose authority is an intermediate one.
import assert from 'node:assert/strict';
import { chmodSync, copyFileSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { Agent } from 'node:https';
import { test } from 'node:test';
import { Authority } from './certificates.ts';
import {
  childProgram,
  eventually,
  freePort,
  need,
  needRoot,
  nobody,
  replace,
  runBundle,
  Started,
  scratch,
  startChildren,
  startExporter,
} from './harness.ts';
import { addSwap } from './host-resources.ts';
import { sendRequest, serve } from './web-server.ts';

/** Runs its arguments in a mount namespace of their own, after a script has mounted something there. */
const mounted = (script: string) => ['unshare', '--mount', 'sh', '-c', `${script} && exec "$@"`, 'sh'];
const fresh = ['--cache-ttl', '0s', '--interval', '1s'];

test('without btime and memory in /proc, all that does not depend on them is served', async (t) => {
  if (!needRoot(t) || !need(t, 'unshare')) return;
  const dir = scratch();
  writeFileSync(`${dir}/stat`, 'cpu 1 1\ncpu0 1 1\n');
  writeFileSync(`${dir}/empty`, '');
  const wrap = mounted(
    `mount --bind ${dir}/stat /proc/stat && mount --bind ${dir}/empty /proc/meminfo && mount --bind ${dir}/empty /proc/uptime`,
  );
  const exporter = await startExporter(t, { wrap, args: [...fresh, '--process-start-time'] });
  const page = await exporter.scrape();
  assert.ok(page.value('herakles_mem_process_rss_bytes', { pid: exporter.pid }) > 0);
  assert.equal(page.value('herakles_exporter_cache_update_success'), 1);
  for (const family of ['herakles_mem_system_total_bytes', 'herakles_process_start_time_seconds'])
    assert.deepEqual(page.all(family), [], family);
});

test('an uptime of a container beside start times of the host makes no CPU usage of thousands', async (t) => {
  if (!needRoot(t) || !need(t, 'unshare', 'cc')) return;
  const dir = scratch();
  writeFileSync(`${dir}/uptime`, '5.00 5.00\n');
  const wrap = mounted(`mount --bind ${dir}/uptime /proc/uptime`);
  const exporter = await startExporter(t, { wrap, args: ['--cache-ttl', '0s', '--interval', '10m'] });
  await exporter.scrape();
  const { pids } = await startChildren(t, 'burn', 0.5, 60);
  const page = await eventually(async () => {
    const seen = await exporter.scrape();
    assert.equal(seen.all('herakles_cpu_process_time_seconds', { pid: pids[0]! }).length, 1);
    return seen;
  });
  assert.deepEqual(page.all('herakles_cpu_process_usage_percent', { pid: pids[0]! }), []);
});

test('a process that says what is swapped out of it is believed, where the host says that it has no swap', async (t) => {
  if (!needRoot(t) || !need(t, 'unshare', 'cc') || !addSwap(t, 64)) return;
  const [pid] = await new Started(t, [childProgram('sharing'), 'swapped', '32', '1']).line('ready', 0, 60_000);
  const dir = scratch();
  const meminfo = readFileSync('/proc/meminfo', 'utf8').replace(/^(Swap(?:Total|Free): +)\d+/gm, '$10');
  writeFileSync(`${dir}/meminfo`, meminfo);
  for (const smaps of ['off', 'exact']) {
    const wrap = mounted(`mount --bind ${dir}/meminfo /proc/meminfo`);
    const exporter = await startExporter(t, { wrap, args: [...fresh, '--smaps', smaps] });
    await eventually(async () => {
      const page = await exporter.scrape();
      assert.equal(page.value('herakles_mem_system_swap_total_bytes'), 0);
      const swap = page.value('herakles_mem_process_swap_bytes', { pid: pid! });
      assert.ok(swap > 30 * 2 ** 20 && swap <= 32 * 2 ** 20, `${swap} bytes with --smaps ${smaps}`);
    });
  }
});

// gVisor has no smaps_rollup, for example, and its runsc is no package of Debian: here a folder with only some of the
// files lies over that of a process.
test('a file that a process does not have there is unsupported, and what other files say is served', async (t) => {
  if (!needRoot(t) || !need(t, 'unshare', 'cc')) return;
  const { pids } = await startChildren(t, 'private', 20);
  const dir = scratch();
  for (const file of ['stat', 'statm', 'status', 'cmdline', 'comm'])
    writeFileSync(`${dir}/${file}`, readFileSync(`/proc/${pids[0]}/${file}`));
  const wrap = mounted(`mount --bind ${dir} /proc/${pids[0]}`);
  const exporter = await startExporter(t, { wrap, args: [...fresh, '--smaps', 'exact'] });
  await eventually(async () => {
    const page = await exporter.scrape();
    assert.ok(page.value('herakles_mem_process_rss_bytes', { pid: pids[0]! }) > 20 * 2 ** 20);
    assert.deepEqual(page.all('herakles_mem_process_pss_bytes', { pid: pids[0]! }), []);
    for (const file of ['io', 'smaps_rollup']) {
      assert.equal(page.value('herakles_exporter_unreadable_processes', { file, reason: 'unsupported' }), 1, file);
      assert.deepEqual(page.all('herakles_exporter_unreadable_processes', { file, reason: 'gone' }), [], file);
    }
  });
});

test('a program behind a wrapper of NixOS has its own name and group', async (t) => {
  if (!need(t, 'memcached')) return;
  const dir = scratch();
  const wrapped = `${dir}/.memcached-wrapped`;
  copyFileSync(realpathSync('/usr/bin/memcached'), wrapped);
  // As makeWrapper of nixpkgs writes it.
  writeFileSync(`${dir}/memcached`, `#! /bin/bash -e\nexec -a "$0" "${wrapped}"  "$@"\n`);
  for (const file of [wrapped, `${dir}/memcached`]) chmodSync(file, 0o755);
  const port = String(await freePort());
  const { pid } = new Started(t, [`${dir}/memcached`, '-u', 'nobody', '-l', '127.0.0.1', '-p', port]);
  await eventually(async () => assert.equal(readFileSync(`/proc/${pid}/comm`, 'utf8'), '.memcached-wrap\n'));
  const exporter = await startExporter(t, { args: fresh });
  const [info] = (await exporter.scrape()).all('herakles_process_info', { pid });
  assert.deepEqual([info?.labels.name, info?.labels.group, info?.labels.subgroup], ['memcached', 'cache', 'memcached']);
});

test('a user who is created while the exporter runs has a name after a reload', async (t) => {
  if (!needRoot(t) || !need(t, 'unshare')) return;
  const dir = scratch();
  const passwd = readFileSync('/etc/passwd', 'utf8').replace(/^nobody:.*\n/m, '');
  writeFileSync(`${dir}/passwd`, passwd);
  const theirs = await startExporter(t, { uid: nobody });
  const exporter = await startExporter(t, { wrap: mounted(`mount --bind ${dir}/passwd /etc/passwd`), args: fresh });
  const user = async () => (await exporter.scrape()).all('herakles_process_info', { pid: theirs.pid })[0]?.labels.user;
  assert.equal(await user(), '65534');
  writeFileSync(`${dir}/passwd`, `${passwd}late:x:65534:65534::/:/bin/sh\n`);
  exporter.signal('SIGHUP');
  await eventually(async () => assert.equal(await user(), 'late'));
});

test('a working folder that is gone, or may not be entered, holds no configuration', async (t) => {
  if (!needRoot(t) || !need(t, 'unshare')) return;
  const gone = await runBundle(t, ['check'], {
    wrap: ['sh', '-c', 'd=$(mktemp -d) && cd $d && rmdir $d && exec "$@"', 'sh'],
  });
  assert.equal(gone.code, 0, gone.stderr);
  const dir = scratch();
  mkdirSync(`${dir}/root`);
  chmodSync(`${dir}/root`, 0o700);
  const wrap = ['sh', '-c', `cd ${dir}/root && exec setpriv --reuid 65534 --regid 65534 --clear-groups -- "$@"`, 'sh'];
  const closed = await runBundle(t, ['check'], { wrap });
  assert.equal(closed.code, 0, closed.stderr);
});

test('in a user namespace, check names it as the reason', async (t) => {
  if (!needRoot(t) || !need(t, 'unshare', 'setpriv')) return;
  const wrap = [
    'setpriv',
    '--reuid',
    '65534',
    '--regid',
    '65534',
    '--clear-groups',
    'unshare',
    '--user',
    '--map-root-user',
  ];
  const { stdout, stderr } = await runBundle(t, ['check'], { wrap });
  if (/unshare failed/.test(stderr)) return t.skip('user namespaces are turned off');
  assert.match(stdout, /root, in a user namespace, with /, stderr);
  assert.match(stdout, /runs in a user namespace/);
  assert.doesNotMatch(stdout, /every capability/);
});

test('a procfs that hides processes is said by a metric and the page', async (t) => {
  if (!needRoot(t) || !need(t, 'unshare', 'setpriv')) return;
  const hide = 'mount -t proc -o hidepid=2 proc /proc';
  const wrap = [
    'unshare',
    '--mount',
    'sh',
    '-c',
    `${hide} && exec setpriv --reuid 65534 --regid 65534 --clear-groups -- "$@"`,
    'sh',
  ];
  const exporter = await startExporter(t, { wrap });
  assert.equal((await exporter.scrape()).value('herakles_exporter_processes_hidden'), 1);
  assert.match(await (await fetch(exporter.url)).text(), /hidepid/);
  const seeing = await startExporter(t);
  assert.equal((await seeing.scrape()).value('herakles_exporter_processes_hidden'), 0);
});

test('without any inotify instance left, a changed configuration is found all the same', async (t) => {
  if (!needRoot(t) || !need(t, 'unshare', 'setpriv')) return;
  const dir = scratch(nobody);
  writeFileSync(`${dir}/config.yaml`, 'max_series: 1000\n');
  // The limit is of a user namespace: a namespace of the test's own has none, and other programs keep theirs.
  const script = 'echo 0 > /proc/sys/user/max_inotify_instances && exec "$@"';
  const wrap = ['unshare', '--user', '--map-root-user', 'sh', '-c', script, 'sh'];
  const exporter = await startExporter(t, { wrap, args: ['--config', `${dir}/config.yaml`] });
  const polled = /cannot be watched; changes in it are found within 10 seconds/;
  await eventually(() => assert.match(exporter.stderr, polled));
  replace(`${dir}/config.yaml`, 'max_series: 0x\n');
  await eventually(async () =>
    assert.equal((await exporter.scrape()).value('herakles_exporter_config_last_reload_successful'), 0),
  );
});

test('client_ca_file may hold only the intermediate authority that signed, as in Go', async (t) => {
  if (!need(t, 'openssl')) return;
  const root = new Authority('root');
  const issuing = new Authority('issuing', root);
  const own = issuing.issue('localhost');
  const section = `tls_server_config:\n  cert_file: ${own.cert}\n  key_file: ${own.key}\n  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ${issuing.cert}\n`;
  const server = await serve(t, section);
  const ask = ({ cert, key }: { cert: string; key: string }) => {
    const agent = new Agent({
      cert: readFileSync(cert),
      key: readFileSync(key),
      ca: readFileSync(root.cert),
      rejectUnauthorized: false,
    });
    return sendRequest(`${server.url}/metrics`, { agent });
  };
  assert.equal((await ask(issuing.issue('client'))).status, 200);
  assert.equal((await ask(root.issue('client'))).status, 403, 'the root is not in the file');
  assert.equal((await ask(new Authority('strangers').issue('client'))).status, 403);
});
