// What a signal, an option or a variable of Node.js can open in a process that serves; which files root believes; what
// happens to output that cannot be written.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { type TestContext, test } from 'node:test';
import { hashSync } from 'bcryptjs';
import { verbs } from '../src/cli/verbs.ts';
import {
  bundle,
  eventually,
  freePort,
  need,
  needRoot,
  nobody,
  root,
  runBundle,
  Started,
  scratch,
  startExporter,
} from './harness.ts';
import { sendRequest, serve } from './web-server.ts';

/** Ports on which a process listens, from /proc/net/tcp and its open descriptors (proc(5)). */
function listeningPorts(pid: number): number[] {
  const inodes = new Set(
    readdirSync(`/proc/${pid}/fd`).map((fd) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1];
      } catch {
        return undefined; // It has been closed.
      }
    }),
  );
  return ['tcp', 'tcp6']
    .flatMap((table) => readFileSync(`/proc/${pid}/net/${table}`, 'utf8').split('\n').slice(1))
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[3] === '0A' && inodes.has(fields[9]))
    .map((fields) => Number.parseInt(fields[1]!.split(':')[1]!, 16));
}

for (const version of [undefined, 'node22', 'node24'] as const) {
  test(`SIGUSR1 and SIGUSR2 open nothing and end nothing, on ${version ?? process.version}`, async (t) => {
    const node = version ? need(t, version)?.[version] : process.execPath;
    if (!node) return;
    const server = await serve(t, `basic_auth_users:\n  a: ${hashSync('b', 4)}\n`, [], node);
    const ask = () => sendRequest(`${server.url}/metrics`, { auth: 'a:b' });
    assert.equal((await ask()).status, 200); // The password was compared on a thread of its own, which still runs.
    const readers = () =>
      readFileSync(`/proc/${server.pid}/task/${server.pid}/children`, 'utf8').trim().split(' ').map(Number);
    const reader = Math.min(...readers()); // a second one may read a file that takes long
    for (const signal of ['SIGUSR1', 'SIGUSR2'] as const) {
      server.signal(signal);
      await server.logs(new RegExp(`signal ignored.*signal=${signal}`));
    }
    assert.equal((await ask()).status, 200);
    assert.deepEqual([...new Set(listeningPorts(server.pid))], [server.port]);
    for (const signal of ['SIGUSR1', 'SIGUSR2']) process.kill(reader, signal);
    assert.equal((await ask()).status, 200);
    assert.ok(readers().includes(reader), 'the reader of process files got the signals too, and still runs');
    for (const pid of readers()) assert.deepEqual(listeningPorts(pid), []);
    assert.doesNotMatch(server.stderr, /Debugger|inspector|reader/);
  });
}

/** The status with which it ends by itself; null where it serves after all. */
async function codeOf(run: Started): Promise<number | null> {
  const timer = setTimeout(() => void run.kill(), 20_000);
  const { code } = await run.ended;
  clearTimeout(timer);
  return code;
}

/** Holds the start of the program, as a slow disk does, until Node.js has acted on a signal; 2 s at most. */
function slowStart(): string {
  const file = `${scratch()}/slow.cjs`;
  writeFileSync(
    file,
    `const { url } = require('node:inspector');
process.stdout.write('held 1\\n');
for (const end = Date.now() + 2000; !url() && Date.now() < end; );`,
  );
  return file;
}

/** The option that the unit, the image and `npm start` give Node.js. */
const SHUT = '--inspect-port=192.0.2.1:9229';

test('the unit, the image and npm start leave Node.js no address for a debugger', () => {
  const read = (path: string): string => readFileSync(root + path, 'utf8');
  assert.match(
    read('deploy/systemd/herakles-node-exporter.service'),
    new RegExp(`^ExecStart=/usr/bin/node ${SHUT} /`, 'm'),
  );
  assert.match(
    read('deploy/docker/Dockerfile'),
    new RegExp(`^ENTRYPOINT \\["/usr/local/bin/node", "${SHUT}", "/`, 'm'),
  );
  assert.match(JSON.parse(read('package.json')).scripts.start, new RegExp(` node ${SHUT} scripts/start\\.mjs$`));
});

for (const uid of [0, nobody]) {
  test(`SIGUSR1 while Node.js starts: it does not serve with a debugger, as uid ${uid}`, async (t) => {
    if (!needRoot(t)) return;
    const dir = scratch();
    copyFileSync(bundle, `${dir}/herakles.cjs`);
    const start = async (...options: string[]) => {
      const port = await freePort();
      const command = [process.execPath, ...options, '--require', slowStart(), `${dir}/herakles.cjs`, `--port=${port}`];
      const started = new Started(t, command, { uid, gid: uid, cwd: dir });
      await started.line('held');
      started.signal('SIGUSR1');
      return { started, port };
    };
    const { started: opened } = await start('--inspect-port=0');
    assert.equal(await codeOf(opened), 2, opened.stderr);
    assert.match(opened.stderr, /^herakles-node-exporter: a signal has opened the debugger/m);

    const { started: shut, port } = await start(SHUT);
    await eventually(async () => assert.equal((await fetch(`http://127.0.0.1:${port}/-/ready`)).status, 200));
    assert.match(shut.stderr, /Starting inspector on 192\.0\.2\.1:9229 failed/);
    assert.deepEqual(listeningPorts(shut.pid), [port]);
  });
}

test('SIGUSR1 opens nothing in a verb that does not serve', async (t) => {
  const file = `${scratch()}/signal.cjs`;
  // The timer runs when the program has been loaded, and the program is busy then.
  writeFileSync(
    file,
    `const { url } = require('node:inspector');
setTimeout(() => {
  process.kill(process.pid, 'SIGUSR1');
  setTimeout(() => process.stderr.write(\`debugger \${url()}\n\`), 200);
});`,
  );
  const run = new Started(t, [process.execPath, '--require', file, bundle, 'scan'], { cwd: scratch(), env: RECORDED });
  assert.equal((await run.ended).code, 0);
  assert.equal(run.stderr, 'debugger undefined\n');
});

test('npm start: SIGUSR1 opens nothing while it builds', async (t) => {
  const port = await freePort();
  const [, ...rest] = JSON.parse(readFileSync(`${root}package.json`, 'utf8')).scripts.start.split(/ (?=node )/);
  const command = `exec ${rest.join(' ')} --port=${port} --bind=127.0.0.1`;
  const started = new Started(t, ['sh', '-c', command], { cwd: root, env: { HOME: scratch() } });
  await eventually(() => assert.match(started.stderr, /# building/), 60_000, 5);
  process.kill(started.pid, 'SIGUSR1');
  await eventually(async () => assert.equal((await fetch(`http://127.0.0.1:${port}/-/ready`)).status, 200), 60_000);
  assert.deepEqual(listeningPorts(started.pid), [port]);
});

const starts: [what: string, options: string[], env: Record<string, string>, said: RegExp][] = [
  ['a debugger', ['--inspect=0'], {}, /Node\.js was started with a debugger/],
  ['a debugger of NODE_OPTIONS', [], { NODE_OPTIONS: '--inspect=0' }, /leave --inspect out .* of NODE_OPTIONS/],
  [
    'heap snapshots at a signal',
    ['--heapsnapshot-signal=SIGUSR2'],
    {},
    /^herakles-node-exporter: --heapsnapshot-signal w/m,
  ],
  [
    'reports at a signal',
    [],
    { NODE_OPTIONS: '--report-on-signal' },
    /--report-on-signal \(NODE_OPTIONS\) writes the mem/,
  ],
];
test('serve with privileges refuses a debugger and dumps at a signal with status 2', async (t) => {
  if (!needRoot(t)) return;
  for (const [what, options, env, said] of starts)
    await t.test(what, async (t) => {
      const command = [process.execPath, ...options, bundle, '--port=0'];
      const run = new Started(t, command, { cwd: scratch(), env });
      assert.equal(await codeOf(run), 2, run.stderr);
      assert.match(run.stderr, said);
      assert.doesNotMatch(run.stderr, /^\s+at /m);
    });
});

test('serve with privileges warns of what writes files, loads code or logs secrets', async (t) => {
  if (!needRoot(t)) return;
  const dir = scratch();
  writeFileSync(`${dir}/code.cjs`, '');
  const env = { NODE_OPTIONS: `--require=${dir}/code.cjs`, NODE_V8_COVERAGE: `${dir}/coverage` };
  const exporter = await startExporter(t, { env });
  const warned = exporter.stderr.match(/level=warn.*not for a service.*/g) ?? [];
  assert.deepEqual(
    warned.map((line) => /option="?([^"=]*?)"? effect=/.exec(line)?.[1]),
    ['--require (NODE_OPTIONS)', 'NODE_V8_COVERAGE'],
  );
  const user = await startExporter(t, { env: { NODE_OPTIONS: `--require=${dir}/code.cjs` }, uid: nobody });
  assert.doesNotMatch(user.stderr, /not for a service/);
});

test('serve with privileges warns of options of V8 that log', async (t) => {
  if (!needRoot(t)) return;
  const dir = scratch();
  const options = ['--prof', `--logfile=${dir}/v8.log`, '--trace_deopt'];
  const port = await freePort();
  const command = [process.execPath, ...options, bundle, `--port=${port}`, '--bind=127.0.0.1'];
  const run = new Started(t, command, { cwd: dir, env: { HOME: dir } });
  await eventually(() => assert.match(run.stderr, /msg=serving/));
  const warned = run.stderr.match(/level=warn.*not for a service.*/g) ?? [];
  assert.deepEqual(
    warned.map((line) => /option=(\S+)/.exec(line)?.[1]),
    ['--prof', '--logfile', '--trace_deopt'],
  );
  assert.ok(
    readdirSync(dir).some((name) => name.endsWith('v8.log')),
    'V8 writes it indeed',
  );
});

test('root does not read what others control in its folder or home, says so once, and reads what is named', async (t) => {
  if (!needRoot(t)) return;
  const cwd = scratch();
  const home = scratch(nobody);
  mkdirSync(`${home}/.config/herakles`, { recursive: true });
  const files = [`${home}/.config/herakles/config.yaml`, `${cwd}/herakles.yaml`, `${cwd}/subgroups.toml`];
  for (const file of files) writeFileSync(file, 'not = [what any of them takes');
  for (const file of files.slice(1)) chownSync(file, nobody, nobody);
  const check = await runBundle(t, ['check'], { cwd, env: { HOME: home } });
  assert.equal(check.code, 0, check.stderr);
  assert.match(check.stdout, /^configuration: ok, no file$/m);
  for (const [at, flag] of ['config', 'config', 'subgroups'].entries()) {
    const lines = check.stderr.split('\n').filter((line) => line.startsWith(`herakles-node-exporter: ${files[at]}: `));
    assert.equal(lines.length, 1, check.stderr);
    assert.match(
      lines[0]!,
      /is not read by root, because .* belongs to user nobody \(uid 65534\); to read it, name it/,
    );
    assert.ok(lines[0]!.endsWith(`--${flag} ${files[at]}`), lines[0]);
  }
  for (const args of [
    ['--config', './herakles.yaml'],
    ['--subgroups', './subgroups.toml'],
  ])
    assert.equal((await runBundle(t, ['check', ...args], { cwd })).code, 2, 'it is read, and it is wrong');
  assert.equal((await runBundle(t, ['check'], { cwd, uid: nobody })).code, 2, 'a user reads what lies in the folder');
  for (const file of files.slice(1)) chownSync(file, 0, 0);
  assert.equal((await runBundle(t, ['check'], { cwd })).code, 2, 'root reads its own');
  chmodSync(cwd, 0o777);
  assert.equal((await runBundle(t, ['check'], { cwd })).code, 0, 'but not from a folder where everybody writes');
});

test('capture -o makes a file of its own, and follows no link', async (t) => {
  if (!needRoot(t)) return;
  const cwd = scratch();
  chmodSync(cwd, 0o1777);
  writeFileSync(`${cwd}/host`, 'theirs');
  chmodSync(`${cwd}/host`, 0o666);
  chownSync(`${cwd}/host`, nobody, nobody);
  writeFileSync(`${cwd}/precious`, 'precious');
  symlinkSync('precious', `${cwd}/link`);
  execFileSync('mknod', [`${cwd}/device`, 'c', '1', '3']); // A second /dev/null.
  const written = await runBundle(t, ['capture', '-o', 'host'], { cwd });
  assert.equal(written.code, 0, written.stderr);
  const { mode, uid } = statSync(`${cwd}/host`);
  assert.deepEqual([mode & 0o7777, uid], [0o600, 0]);
  assert.equal((await runBundle(t, ['check', '--capture', 'host'], { cwd })).code, 0);
  for (const [name, said] of [
    ['link', /link: cannot be written \(.* is a link\); name another file with -o/],
    ['device', /device: cannot be written \(.* is no regular file\)/],
  ] as const) {
    const refused = await runBundle(t, ['capture', '-o', name], { cwd });
    assert.equal(refused.code, 1, refused.stderr);
    assert.match(refused.stderr, said);
  }
  assert.equal(readFileSync(`${cwd}/precious`, 'utf8'), 'precious');
  // A limit of the file size stands in for a full disk: what was there stays, and nothing is left beside it.
  const before = [readdirSync(cwd), readFileSync(`${cwd}/host`, 'utf8')];
  const full = shell(t, cwd, 'ulimit -f 8; exec "$@"', 'capture', '-o', 'host');
  assert.equal((await full.ended).code, 1, full.stderr);
  assert.match(full.stderr, /host: cannot be written \(EFBIG/);
  assert.deepEqual([readdirSync(cwd), readFileSync(`${cwd}/host`, 'utf8')], before);
});

/** The bundle with these arguments, run by a line of a shell as "$@". */
const shell = (t: TestContext, cwd: string, line: string, ...args: string[]): Started =>
  new Started(t, ['sh', '-c', line, 'sh', process.execPath, bundle, ...args], { cwd, env: { HOME: cwd, ...RECORDED } });
/** A small host, the same on every machine. */
const RECORDED = { HERAKLES_CAPTURE: `${root}test/captures/linux-6.18.capture` };

/** Tried in bpf.e2e.ts, install.e2e.ts and upgrade.e2e.ts. */
const DEPENDING_ON_MACHINE = ['bpf pin', 'bpf status', 'bpf unpin', 'install', 'uninstall', 'upgrade'];
/** Arguments with which each verb prints something; a new verb needs a line here. */
const printing: Record<string, string[]> = {
  completion: ['bash'],
  check: [],
  scan: [],
  top: [],
  explain: ['--all'],
  subgroups: [],
  'subgroups lint': [],
  'subgroups test': ['rules.toml'],
  'import process-exporter': ['--procnames=acme'],
  capture: [],
  ...Object.fromEntries(DEPENDING_ON_MACHINE.map((verb) => [verb, ['--help']])),
  'config show': [],
  'config init': [],
};

test('what cannot be written is a failure of every verb; a closed pipe is none to speak of', async (t) => {
  const cwd = scratch();
  writeFileSync(
    `${cwd}/rules.toml`,
    '[[rule]]\ngroup = "g"\nsubgroup = "s"\ncomm = "acme"\nexamples = [{ comm = "acme" }]\n',
  );
  // serve prints nothing; a group of verbs prints its help.
  const served = verbs.filter((verb) => 'run' in verb && verb.name !== 'serve').map(({ name }) => name);
  assert.deepEqual(Object.keys(printing).sort(), served.sort());
  const lines = [
    ...Object.entries(printing).map(([name, args]) => [...name.split(' '), ...args]),
    ...[['--help'], ['--version'], ['explain', '18842', '--json'], ['scan', '--json'], ['config', 'show', '--json']],
  ];
  for (const args of lines)
    await t.test(args.join(' '), async (t) => {
      const full = shell(t, cwd, 'exec "$@" > /dev/full', ...args);
      assert.equal((await full.ended).code, 1, full.stderr);
      assert.match(full.stderr, /^herakles-node-exporter: standard output cannot be written \(ENOSPC: .*\)/m);
      assert.doesNotMatch(full.stderr, /^\s+at /m);
      // The only reader of the pipe has closed it before anything is written.
      const line = 'mkfifo gone; : < gone & exec 4> gone; wait; "$@" >&4; echo "status $?"; rm gone';
      const closed = shell(t, cwd, line, ...args);
      await closed.ended;
      assert.equal(closed.stdout, 'status 141\n', closed.stderr);
      assert.doesNotMatch(closed.stderr, /^\s+at |EPIPE/m);
    });
});

test('a text that fits only in part is a failure, and so is a message that cannot be written', async (t) => {
  const cwd = scratch();
  const part = shell(t, cwd, 'ulimit -f 8; exec "$@" > part', 'capture');
  assert.equal((await part.ended).code, 1);
  assert.match(part.stderr, /standard output cannot be written \(EFBIG/);
  assert.equal(statSync(`${cwd}/part`).size, 4096);
  const refused = ['import', 'process-exporter', '--namemapping=a,(?=b)', '--procnames=acme'];
  const notes = shell(t, cwd, 'exec "$@" 2> /dev/full', ...refused);
  const { code } = await notes.ended;
  assert.ok(code === 1 || code === 2, `status ${code}`);
  const mute = shell(t, cwd, 'exec "$@" 2> /dev/full', 'chek');
  assert.equal((await mute.ended).code, 2);
});

test('a slow reader of a pipe gets everything', async (t) => {
  const cwd = scratch();
  const read = shell(t, cwd, '"$@" | { sleep 0.3; wc -c; }', 'config', 'init');
  await read.ended;
  assert.equal(Number(read.stdout), (await runBundle(t, ['config', 'init'], { cwd })).stdout.length);
});

test('JSON of every verb and page spells hostile characters', async (t) => {
  const name = 'h\u009b\u202e';
  const dir = scratch();
  const program = `${dir}/${name}`;
  copyFileSync('/bin/sleep', program);
  const child = spawn(program, ['60']);
  t.after(() => void child.kill('SIGKILL'));
  await once(child, 'spawn');
  writeFileSync(`${dir}/${name}.toml`, '[[rule]]\ngroup = "g"\nsubgroup = "s"\ncomm = "acme-"\n');
  const exporter = await startExporter(t, { args: ['--include-names', name] });
  const printed: Record<string, string> = {
    config: await (await fetch(`${exporter.url}/config`, { headers: { accept: 'application/json' } })).text(),
    explained: await (await fetch(`${exporter.url}/explain?pid=${child.pid}`)).text(),
  };
  for (const args of [
    ['scan', '--json'],
    ['explain', '--all', '--json'],
    ['explain', String(child.pid), '--json'],
    ['config', 'show', '--json', '--include-names', name],
    ['config', 'show', '--include-names', name],
    ['subgroups', 'lint', '--json', `${name}.toml`],
  ])
    printed[args.join(' ')] = (await runBundle(t, args, { cwd: dir })).stdout;
  for (const [what, text] of Object.entries(printed)) {
    assert.match(text, /h\\u009b\\u202e/, what);
    assert.doesNotMatch(text, /[\u007f-\u009f\u202e]/, what);
    if (text.startsWith('{') || text.startsWith('[')) assert.ok(JSON.stringify(JSON.parse(text)).includes(name), what);
  }
});
