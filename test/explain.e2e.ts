// explain by the real bundle: what the running exporter knows of real children, asked at every kind of address, with and
// without permission; and explain --all, whose suggested rules are pasted and have to work.
import assert from 'node:assert/strict';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { hashSync } from 'bcryptjs';
import { Authority } from './certificates.ts';
import {
  childProgram,
  eventually,
  freePort,
  need,
  runBundle,
  type Scope,
  Started,
  scratch,
  startChildren,
  startExporter,
} from './harness.ts';
import { sendRequest, serve } from './web-server.ts';

const seldom = ['--interval', '10m', '--cache-ttl', '10m'];

/** Runs explain, which has to end well, and gives what it printed. */
async function explain(t: Scope, ...args: (string | number)[]): Promise<string> {
  const { code, stdout, stderr } = await runBundle(t, ['explain', ...args.map(String)]);
  assert.deepEqual([code, stderr], [0, ''], stdout);
  return stdout;
}

test('the kinds of memory that a process has', async (t) => {
  if (!need(t, 'cc')) return;
  const { pid } = await startChildren(t, 'private', 64);
  const text = await explain(t, pid, '--url', 'http://127.0.0.1:9');
  const [, memory, anonymous] =
    /^ {2}memory .*, PSS ([\d.]+) MiB.*\n {2}PSS has {3}anonymous ([\d.]+) MiB, of files/m.exec(text)!;
  assert.ok(Number(anonymous) >= 64 && Number(anonymous) <= Number(memory), text);
  const [, tables] = /^ {2}beside {4}page tables ([\d.]+) KiB$/m.exec(text)!;
  assert.ok(Number(tables) > 128, 'an entry of 8 bytes for each of 16,384 pages');
});

test('the age of a footprint, and why it was or was not read', async (t) => {
  if (!need(t, 'cc')) return;
  const leak = await startChildren(t, 'leak', 2);
  const alone = `${scratch()}/alone`; // a program of its own: what the others do must not move what it shares
  copyFileSync(childProgram(), alone);
  const quiet = new Started(t, [alone, 'private', '8']);
  const large = await startChildren(t, 'private', 300);
  const { url } = await startExporter(t, {
    args: ['--interval', '500ms', '--smaps-budget', '50%', '--smaps-max-read', '2ms'],
  });
  await t.test('it grows', () =>
    eventually(async () => {
      const text = await explain(t, leak.pid, '--url', url);
      assert.match(text, /^process \d+ is in other\/other, because no rule matches it$/m);
      assert.match(text, /^the exporter at http:\/\/127\.0\.0\.1:\d+, \S+ m?s after its last collection:$/m);
      assert.match(text, /^ {2}read {6}\S+ m?s ago$/m);
      assert.match(
        text,
        /^ {2}why {7}read at the last collection, because its own memory had changed \(reason 2 of 4\)$/m,
      );
      assert.match(text, /^ {2}exported {2}PSS [\d.]+ MiB, USS [\d.]+ MiB, as they were read$/m);
      assert.match(
        text,
        /^ {2}cost {6}a read is predicted to take \S+ (ms|s), (within|over) smaps_max_read \(2 ms\)$/m,
      );
    }, 60_000),
  );
  await t.test('it does nothing', () =>
    eventually(async () => {
      const text = await explain(t, quiet.pid, '--url', `${url}/metrics`);
      const why =
        /why {7}not read: (up to \S+ .*may have changed since, and a read is due from [\d.]+ KiB on|its memory has not changed since); (other idle processes .* ago; )?because of its age it is due again (in|at)/;
      assert.match(text, why);
    }, 20_000),
  );
  await t.test('it is large', () =>
    eventually(async () => {
      const { exporter } = JSON.parse(await explain(t, large.pid, '--json', '--url', url));
      assert.equal(exporter.smaps.state, 'large');
      assert.ok(exporter.smaps.over_max_read && exporter.smaps.predicted_seconds > 0.002);
      assert.ok(exporter.smaps.age_seconds > 0.5, 'and its footprint grows old');
      assert.match(
        await explain(t, large.pid, '--url', url),
        /longer than smaps_max_read \(2 ms\), so it is read only/,
      );
    }, 20_000),
  );
});

test('the exporter explains with the values of its metrics', async (t) => {
  if (!need(t, 'cc')) return;
  const { pid } = await startChildren(t, 'private', 12);
  const exporter = await startExporter(t, { args: [...seldom, '--smaps', 'exact'] });
  const seen = await eventually(async () => {
    const found = await exporter.scrape();
    found.value('herakles_cpu_process_usage_percent', { pid }); // of the second collection; the next is far
    return found;
  });
  const document = JSON.parse((await sendRequest(`${exporter.url}/explain?pid=${pid}`)).body);
  for (const kind of ['rss', 'pss', 'uss'])
    assert.equal(document[`${kind}_bytes`], seen.value(`herakles_mem_process_${kind}_bytes`, { pid }), kind);
  assert.equal(document.smaps.mode, 'exact');
  assert.match(
    await explain(t, pid, '--url', exporter.url),
    /read at the last collection, like every process: smaps is exact/,
  );
  assert.doesNotMatch(JSON.stringify(document), /exe|argv|\/child/);

  const late = await startChildren(t, 'private', 1);
  assert.match(await explain(t, late.pid, '--url', exporter.url), /has not seen process \d+ yet: it began after/);
  const { exporter: answer } = JSON.parse(await explain(t, late.pid, '--json', '--url', exporter.url));
  assert.equal(answer.error, 'not seen');
  assert.ok(answer.collection_age_seconds > 0);
});

test('smaps is off, or must not be read', async (t) => {
  const { pid } = new Started(t, ['sleep', '600']);
  const off = await startExporter(t, { args: ['--smaps', 'off'] });
  const text = await explain(t, pid, '--url', off.url);
  assert.match(text, /read {6}never\n {2}exported {2}neither PSS nor USS\n {2}why {7}not read: smaps is off/);
  if (process.getuid?.() !== 0) return;
  const denied = await startExporter(t, { uid: 65534 });
  const why = /why {7}not read: the last attempt failed \(denied\); the next attempt is (in|at) /;
  await eventually(async () => assert.match(await explain(t, pid, '--url', denied.url), why));
});

test('where no exporter runs, explain tells the rest', async (t) => {
  const { pid } = new Started(t, ['sleep', '600']);
  const port = await freePort();
  const alone = await explain(t, pid, '--bind', '127.0.0.1', '--port', port);
  assert.match(alone, /^process \d+ is in /);
  assert.match(
    alone,
    new RegExp(`cannot ask http://127\\.0\\.0\\.1:${port}: no program listens there; start the exporter`),
  );
  assert.match(
    await explain(t, pid, '--port', 0),
    /cannot ask the running exporter: port is 0, so it listens on any free/,
  );
  const socket = `unix:${scratch()}/none.sock`;
  assert.match(await explain(t, pid, '--web.listen-address', socket), /none\.sock: there is no such socket/);
});

test('the configuration gives the address: several, a socket, TLS with a certificate of any name', async (t) => {
  if (!need(t, 'openssl')) return;
  const { pid } = new Started(t, ['sleep', '600']);
  const dir = scratch();
  const answered = (from: string) => new RegExp(`^the exporter at ${from}, \\S+ m?s after its last collection:$`, 'm');
  const [port, socket] = [await freePort(), `${dir}/x.sock`];
  const both = ['--web.listen-address', `127.0.0.1:${port}`, '--web.listen-address', `unix:${socket}`];
  const plain = await serve(t, '', ['--web.listen-address', `unix:${socket}`, ...seldom]);
  await eventually(async () => assert.match(await explain(t, pid, ...both), answered(`unix:${socket}`)));
  assert.match(await explain(t, pid, '--url', `unix:${socket}`), answered(`unix:${socket}`));

  const { cert, key } = new Authority('private').issue('x', { san: 'DNS:elsewhere.example' });
  const tls = ['--enable-tls', '--tls-cert-path', cert, '--tls-key-path', key];
  const secure = await serve(t, '', [...tls, ...seldom]);
  const at = ['--bind', '127.0.0.1', '--port', secure.port];
  await eventually(async () =>
    assert.match(await explain(t, pid, ...at, ...tls), answered(`https://127\\.0\\.0\\.1:${secure.port}`)),
  );
  assert.match(
    await explain(t, pid, '--url', secure.url),
    /neither the configured one nor trusted \(.+\); run this with/,
  );
  assert.match(await explain(t, pid, ...at), /status 400: this port speaks HTTPS/);
  assert.match(await explain(t, pid, '--url', plain.url.replace('http:', 'https:')), /not speak TLS/);
});

test('a password stands in the URL, and in nothing that is printed', async (t) => {
  const { pid } = new Started(t, ['sleep', '600']);
  const secret = 'p@ss:w%rd';
  const server = await serve(t, `basic_auth_users:\n  ops: ${hashSync(secret, 4)}\n`, seldom);
  const url = (password: string) => server.url.replace('//', `//ops:${encodeURIComponent(password)}@`);
  assert.equal((await sendRequest(`${server.url}/explain?pid=${pid}`)).status, 401);
  assert.match(await explain(t, pid, '--url', server.url), /wants a user and password; give --url http:\/\/USER:PASS/);
  assert.match(await explain(t, pid, '--url', url('no')), /it refused the user and password of --url/);
  await eventually(async () => {
    const text = await explain(t, pid, '--url', url(secret));
    assert.match(text, new RegExp(`^the exporter at ${server.url}, `, 'm'));
    assert.ok(!text.includes(secret) && !text.includes(encodeURIComponent(secret)));
  });
});

test('explain --all: equal processes are one line, and its rules can be pasted', async (t) => {
  if (!need(t, 'cc')) return;
  const name = `acme-${process.pid}`; // other runs on this machine have children of the usual name
  const program = `${scratch()}/${name}`;
  copyFileSync(childProgram(), program);
  const fleet = new Started(t, [program, 'fleet', '200', '2', '64', 'acme-w']);
  const pids = (await fleet.line('ready')).map(Number);
  new Started(t, ['bash', '-c', 'read x', 'acme', '--password=hunter2', '--url', 'http://u:hunter2@h/']);
  const text = await explain(t, '--all', '--exclude-names', 'nothing');
  assert.match(text, /^\d+ processes matched by a rule, \d+ by none; \d+ kernel threads and zombies left out$/m);
  assert.match(text, /^acme-w\* +\d+ \+\d+ +other\/other +none/m, text);
  const line = new RegExp(`^hk-launcher, … +${fleet.pid} \\+200 +[\\d.]+ MiB +PSS +${program} +${name}$`, 'm');
  assert.match(text, line, 'its launcher is of the same program');
  const pasted = text.slice(text.indexOf('# For subgroups.toml'));
  const file = `${scratch()}/subgroups.toml`;
  writeFileSync(file, pasted);
  const { processes, unmatched } = JSON.parse(await explain(t, '--all', '--json', '--subgroups', file));
  const ours = processes.filter(({ pid }: { pid: number }) => pids.includes(pid));
  assert.equal(ours.length, 200);
  for (const { group, subgroup, rule, rss_bytes, pss_bytes } of ours) {
    assert.deepEqual([group, subgroup], ['local', name]);
    assert.match(rule, /subgroups\.toml:\d+$/);
    assert.ok(pss_bytes <= rss_bytes);
  }
  for (const kind of unmatched) for (const pid of kind.pids) assert.ok(!pids.includes(pid));
  for (const printed of [text, await explain(t, '--all', '--json')]) assert.doesNotMatch(printed, /hunter2/);
});

test('a command line is shown only for the one process that is explained, without secrets', async (t) => {
  const { pid } = new Started(t, [
    'bash',
    '-c',
    'read x',
    'acme',
    '--password=hunter2',
    '--url',
    'http://u:hunter2@h/',
  ]);
  const at = ['--port', await freePort()];
  const text = await explain(t, pid, ...at);
  assert.match(text, /argv {6}bash -c read x \*\*\* --password=\*\*\* --url http:\/\/\*\*\*@h\//);
  assert.match(text, /values {4}that could be secret are hidden as \*\*\*; --show-values shows them/);
  assert.doesNotMatch(text + (await explain(t, pid, '--json')), /hunter2/);
  const whole = await explain(t, pid, ...at, '--show-values');
  assert.match(whole, /argv {6}bash -c read x acme --password=hunter2 --url http:\/\/u:hunter2@h\//);
  assert.match(whole, /values {4}are all shown, because of --show-values; they may be secret/);
});

test('a capture hides values, says so, and keeps the rule of every process', async (t) => {
  const secret = 'tangerine';
  const rules = `${scratch()}/rules.toml`;
  writeFileSync(rules, '[[rule]]\ngroup = "shop"\nsubgroup = "till"\nargv = "till-(north|south)"\n');
  const { pid } = new Started(t, ['bash', '-c', 'read x', `--at=${secret}-till-north-${secret}`, '-p', secret]);
  const file = `${scratch()}/host.capture`;
  const record = async (...args: string[]) => {
    const { code, stderr } = await runBundle(t, ['capture', '-o', file, '--subgroups', rules, ...args]);
    assert.deepEqual([code, stderr], [0, '']);
    return readFileSync(file, 'utf8');
  };
  const text = await record();
  assert.match(text, /^# Values in command lines are hidden as \*\*\*/m);
  assert.ok(
    text.includes('bash\\x00-c\\x00read x\\x00--at=***till-north***\\x00-p\\x00***\\x00'),
    'what the rule needs is there',
  );
  assert.ok(!text.includes(secret));
  const replayed = await explain(t, pid, '--capture', file, '--subgroups', rules, '--port', await freePort());
  assert.match(replayed, /^process \d+ is in shop\/till, because of rule /);
  const whole = await record('--show-values');
  assert.match(whole, /^# Command lines are complete, because of --show-values\./m);
  assert.ok(whole.includes(`--at=${secret}-till-north-${secret}`));
});

test('nothing else shows a command line: no page, no metric, no log, no other verb', async (t) => {
  const secret = 'tangerine';
  const argv = ['-c', `read x # ${secret}`, 'acme', `--password=${secret}`, secret, `https://u:${secret}@h/${secret}`];
  const { pid } = new Started(t, ['bash', ...argv]);
  new Started(t, ['bash', '-c', `exec -a "acme-service: worker --key ${secret}" bash -c 'read x'`]);
  const exporter = await startExporter(t, {
    args: ['--log-level', 'debug', '--per-process', 'all', '--web-enable-lifecycle'],
  });
  const seen = await exporter.scrape();
  assert.ok(seen.value('herakles_mem_process_rss_bytes', { pid }) > 0);
  const paths = ['/', '/metrics', '/config', '/subgroups', '/health', '/-/ready', `/explain?pid=${pid}`];
  const texts = await Promise.all(paths.map(async (path) => (await sendRequest(`${exporter.url}${path}`)).body));
  for (const args of [
    ['scan'],
    ['scan', '--json'],
    ['check'],
    ['subgroups'],
    ['explain', '--all'],
    ['explain', '--all', '--json'],
    ['explain', String(pid), '--json'],
  ])
    texts.push((({ stdout, stderr }) => stdout + stderr)(await runBundle(t, args)));
  texts.push(exporter.stderr);
  for (const text of texts) {
    assert.ok(text.length > 0);
    assert.ok(!text.includes(secret), text.slice(Math.max(0, text.indexOf(secret) - 300), text.indexOf(secret) + 50));
  }
});

test('explain names the system unit of a process that no rule matches', async (t) => {
  const text = readFileSync(new URL('captures/containers-v2.capture', import.meta.url), 'latin1');
  const capture = `${scratch()}/host.capture`;
  writeFileSync(capture, text.replace(/(proc\/1300\/cgroup.*\n 0::)\S+/, '$1/system.slice/shop@3.service'), 'latin1');
  const at = ['--capture', capture, '--port', await freePort()];
  const said = /^process 1300 is in service\/shop, because no rule matches it; its system unit is shop@3\.service\n/;
  assert.match(await explain(t, '1300', ...at), said);
  const { group, subgroup, rule } = JSON.parse(await explain(t, '1300', '--json', ...at));
  assert.deepEqual({ group, subgroup, rule }, { group: 'service', subgroup: 'shop', rule: 'none; system unit' });
  assert.match(
    await explain(t, '1300', '--no-service-groups', ...at),
    /^process 1300 is in other\/other, because no rule/,
  );
});

test('explain names the ancestor from which a process inherits its group', async (t) => {
  const parent = new Started(t, [
    'bash',
    '-c',
    "exec -a acme-run node -e \"require('child_process').spawn('sleep', ['600'])\"",
  ]);
  const rules = `${scratch()}/rules.toml`;
  writeFileSync(rules, '[[rule]]\ngroup = "shop"\nsubgroup = "run"\nargv = "^acme-run "\n');
  const children = `/proc/${parent.pid}/task/${parent.pid}/children`;
  const pid = await eventually(() => {
    const found = readFileSync(children, 'utf8').trim();
    assert.equal(readFileSync(`/proc/${found}/comm`, 'utf8'), 'sleep\n');
    return found;
  });
  const inherits = ['--subgroups', rules, '--inherit-group'];
  const said = new RegExp(`^process ${pid} is in shop/run, inherited from PID ${parent.pid} \\(.*rules\\.toml:1\\)\\n`);
  assert.match(await explain(t, pid, ...inherits), said);
  assert.match(
    await explain(t, pid, '--subgroups', rules, '--no-service-groups'),
    /is in other\/other, because no rule matches it/,
  );
  const { processes } = JSON.parse(await explain(t, '--all', '--json', ...inherits));
  const { group, rule } = processes.find((each: { pid: number }) => String(each.pid) === pid);
  assert.deepEqual([group, /^inherited from PID/.test(rule)], ['shop', true]);
});

test('a process that does not run, and arguments that make no sense', async (t) => {
  const run = async (...args: string[]) => {
    const { code, stdout, stderr } = await runBundle(t, ['explain', ...args]);
    return [code, stdout, stderr] as const;
  };
  const gone = await run('4194304');
  assert.deepEqual(gone, [1, '', 'herakles-node-exporter: process 4194304: no such process runs\n']);
  for (const args of [
    [],
    ['0'],
    ['1', '--all'],
    ['--all', '--url', 'http://localhost:1'],
    ['1', '--url', 'localhost'],
  ]) {
    const [code, stdout, stderr] = await run(...args);
    assert.deepEqual([code, stdout], [2, ''], args.join(' '));
    assert.match(stderr, /^herakles-node-exporter: .+\n$/);
  }
  const [code, help] = await run('--help');
  assert.equal(code, 0);
  for (const part of ['[PROCESS]', '--all', '--json', '--url <URL>']) assert.ok(help.includes(part), part);
});
