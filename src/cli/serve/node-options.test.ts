import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { ConfigError } from '../../config/load.ts';
import { checkNodeStart, type NodeStart, readNodeStart } from './node-options.ts';

const plain: NodeStart = { execArgv: [], env: {}, debuggerUrl: undefined, privileged: true };
const open = 'ws://127.0.0.1:9229/x';

const refused: [what: string, start: Partial<NodeStart>, said: RegExp][] = [
  ['a debugger', { execArgv: ['--inspect=0'], debuggerUrl: open }, /^Node\.js was started with a debugger.*--inspect/],
  ['a debugger of NODE_OPTIONS', { env: { NODE_OPTIONS: '"--inspect-brk"' }, debuggerUrl: open }, /NODE_OPTIONS/],
  ['a debugger by signal', { debuggerUrl: open }, /^a signal has opened the debugger.*SIGUSR1/],
  ['the same without privileges', { debuggerUrl: open, privileged: false }, /^a signal/],
  ['a debugger at a set port, by signal', { execArgv: ['--inspect-port=0'], debuggerUrl: open }, /^a signal/],
  ['heap snapshots at a signal', { execArgv: ['--heapsnapshot-signal=SIGUSR2'] }, /^--heapsnapshot-signal writes/],
  [
    'reports at a signal',
    { env: { NODE_OPTIONS: '--a  --report_on_signal' } },
    /^--report_on_signal \(NODE_OPTIONS\) w/,
  ],
];
for (const [what, start, said] of refused)
  test(`serve refuses ${what}`, () =>
    assert.throws(
      () => checkNodeStart({ ...plain, ...start }),
      (error) => error instanceof ConfigError && said.test(error.message),
    ));

const warned: [option: string, start: Partial<NodeStart>][] = [
  ...['--cpu-prof', '--heap-prof', '--prof', '--trace-events-enabled', '--report-uncaught-exception', '-r', '--import']
    .concat(['--env-file', '--experimental-config-file', '--insecure-http-parser', '--trace-tls', '--inspect'])
    .concat([
      '--log',
      '--log-all',
      '--logfile',
      '--log-code',
      '--prof-cpp',
      '--ll-prof',
      '--perf-basic-prof',
      '--gdbjit',
    ])
    .concat(['--redirect-code-traces', '--redirect-code-traces-to', '--trace-turbo-graph', '--dump-wasm-module'])
    .concat(['--trace', '--trace-opt', '--trace_deopt', '--print-bytecode', '--print-all-code', '--trace-env'])
    .concat(['--build-snapshot', '--snapshot-blob', '--tls-keylog', '--heapsnapshot-near-heap-limit'])
    .map((option): [string, Partial<NodeStart>] => [option, { execArgv: [option, 'x'] }]),
  ['--require (NODE_OPTIONS)', { env: { NODE_OPTIONS: '--max-old-space-size=99 --require ./a.cjs' } }],
  ...['NODE_V8_COVERAGE', 'NODE_DEBUG', 'NODE_COMPILE_CACHE', 'OPENSSL_CONF', 'OPENSSL_MODULES', 'OPENSSL_ENGINES'].map(
    (option): [string, Partial<NodeStart>] => [option, { env: { [option]: 'x' } }],
  ),
];
for (const [option, start] of warned)
  test(`serve with privileges warns of ${option}`, () =>
    assert.deepEqual(
      checkNodeStart({ ...plain, ...start }).map((warning) => warning.option),
      [option],
    ));

test('every option of V8 that writes a log or prints is known', () => {
  const names = execFileSync(process.execPath, ['--v8-options'], { encoding: 'utf8' }).match(/^ {2}--[\w-]+/gm)!;
  const writing = names
    .map((name) => name.trim())
    .filter((name) => /^--(?:log|print|dump|trace|prof|ll-prof)(?:-|$)/.test(name));
  assert.ok(writing.length > 100, `${writing.length} options`);
  const unknown = writing.filter((option) => checkNodeStart({ ...plain, execArgv: [option] }).length === 0);
  assert.deepEqual(unknown, []);
});

test('serve says nothing without privileges, about harmless options, and about these tests', async () => {
  for (const start of [
    { execArgv: ['--inspect=0'], debuggerUrl: open, privileged: false },
    { execArgv: ['--cpu-prof'], privileged: false },
    { execArgv: ['--inspect-port=192.0.2.1:9229', '--max-old-space-size=99', '--disable-sigusr1', '--no-warnings'] },
    { execArgv: ['--trace-warnings', '--trace-uncaught', '--trace-exit', '--no-trace-opt', '--stack-trace-limit=9'] },
    { execArgv: ['--inspect-publish-uid=http'], env: { NODE_OPTIONS: '', NODE_DEBUG: '', NODE_ENV: 'production' } },
  ])
    assert.deepEqual(checkNodeStart({ ...plain, ...start }), []);
  assert.equal((await readNodeStart()).debuggerUrl, undefined);
});
