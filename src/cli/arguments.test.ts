import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Flag } from '../config/layers.ts';
import { flagOf, flagsOf, type Key, keys, noFlagsOf, optionOf, variableOf } from '../config/options.ts';
import { type Invocation, parseArguments, type UsageText } from './arguments.ts';
import { verbs } from './verbs.ts';

/** Splits on spaces; "" stands for an empty argument. */
const argv = (line: string) =>
  line
    .split(' ')
    .filter(Boolean)
    .map((word) => (word === '""' ? '' : word));

// biome-ignore format: one line a case
const refused: [line: string, message: string][] = [
  ['chekc', "unknown command 'chekc'; did you mean check?"],
  ['nonsense', "unknown command 'nonsense'; see herakles-node-exporter --help"],
  ['-- -x', "unknown command '-x'; see herakles-node-exporter --help"],
  ['config sho', "unknown command 'sho'; did you mean show?"],
  ['--prot 1', "unknown option '--prot'; did you mean --port?"],
  ['--cache_ttl 5s', "unknown option '--cache_ttl'; did you mean --cache-ttl?"],
  ['--no-enable-rs', "unknown option '--no-enable-rs'; did you mean --no-enable-rss?"],
  ['--web.listen-adress :1', "unknown option '--web.listen-adress'; did you mean --web.listen-address?"],
  ['scan --jsn', "unknown option '--jsn'; did you mean --json?"],
  ['--json', "unknown option '--json'; see herakles-node-exporter --help"],
  ['check --json', "unknown option '--json'; see herakles-node-exporter --help"],
  ['-x', "unknown option '-x'; see herakles-node-exporter --help"],
  ['--enable-rss=true', "unknown option '--enable-rss=true'; did you mean --enable-rss?"],
  ['--__proto__', "unknown option '--__proto__'; see herakles-node-exporter --help"],
  ['--port', "option '--port <N>' argument missing; see herakles-node-exporter --help"],
  ['--config', "option '-c, --config <FILE>' argument missing; see herakles-node-exporter --help"],
  ['--port 1 --port 2', '--port is given twice; keep one of them'],
  ['--log-level info --log.level info', '--log-level and --log.level both set log_level; keep one of them'],
  ['--enable-rss --no-enable-rss', '--enable-rss and --no-enable-rss both set enable_rss; keep one of them'],
  ['-c a --config.file b', '--config is given twice; keep one of them'],
  ['serve here', "too many arguments for 'serve'. Expected 0 arguments but got 1; see herakles-node-exporter --help"],
  ['explain', 'explain takes either a PID, a name or --all'],
  ['explain 1 --all', 'explain takes either a PID, a name or --all'],
  ['explain --all --url http://localhost:1', 'explain --all does not ask the exporter; leave --url out'],
  ['explain 1 --url http:localhost', '--url is not an address; give http://host:port, https://host:port or unix:/path'],
  ['explain 1 --url ftp://a:secret@b/', '--url is not an address; give http://host:port, https://host:port or unix:/path'],
  ['explain 0', 'PID is "0"; give an integer from 1 to 4194304'],
  ['scan --sort size', '--sort is "size"; give footprint, pss, uss, rss, swap, cpu, pid, name, age or growth'],
  ['scan --top 0', '--top is "0"; give an integer from 1 to 10000'],
  ['scan --group db/', '--group is "db/"; give db or db/postgres'],
  ['scan --watch 0', '--watch is "0"; give a duration from 100ms to 1d'],
  ['scan --exact --url http://localhost:1', 'scan --exact reads this host itself; leave --url or --exact out'],
  ['subgroups --url here', '--url is not an address; give http://host:port, https://host:port or unix:/path'],
  ['explain 1 2', "too many arguments for 'explain'. Expected 1 argument but got 2; see herakles-node-exporter --help"],
  ['explain --all --show-values', 'explain --all shows no command line; leave --show-values out'],
  ['explain 1 --json --show-values', 'explain --json shows no command line; leave --show-values out'],
  ['capture --frames 0', '--frames is "0"; give an integer from 1 to 10000'],
  ['capture --every soon', '--every is "soon"; give a duration from 10ms to 1h'],
  ['capture -o', "option '-o, --output <FILE>' argument missing; see herakles-node-exporter --help"],
  ['subgroups test', "missing required argument 'FILE'; see herakles-node-exporter --help"],
  ['import process-exporter', 'import process-exporter takes either a FILE or --procnames and --namemapping'],
  ['import process-exporter a --procnames b', 'import process-exporter takes either a FILE or --procnames and --namemapping'],
  ['config init --port 1', 'config init prints the defaults; leave --port out'],
  ['config init -c x', 'config init prints the defaults; leave --config out'],
];
for (const [line, message] of refused) {
  test(`refuses ${line}`, () => {
    assert.deepEqual(parseArguments(argv(line)), { output: `herakles-node-exporter: ${message}\n`, status: 2 });
  });
}

/** What the command line says, as one plain object. */
function understandingOf(argv: readonly string[]): object {
  const parsed = parseArguments(argv) as Invocation;
  return { verb: parsed.verb.name, ...parsed.given, ...parsed.settings };
}

const flag = (key: Flag['key'], spelling: string, value: string | boolean): Flag => ({ key, flag: spelling, value });
const plain = { flags: [], file: undefined };
// biome-ignore format: one line
const once = { json: false, url: undefined, sort: 'footprint', top: 20, of: undefined, watch: undefined, exact: false };
// biome-ignore format: one line a case
const understood: [line: string, invocation: object][] = [
  ['', { verb: 'serve', ...plain }],
  ['serve', { verb: 'serve', ...plain }],
  ['check', { verb: 'check', ...plain }],
  ['subgroups', { verb: 'subgroups', all: false, url: undefined, ...plain }],
  ['explain 4711', { verb: 'explain', of: { pid: 4711 }, json: false, url: undefined, showValues: false, ...plain }],
  ['explain 4711 --json --url unix:/run/x', { verb: 'explain', of: { pid: 4711 }, json: true, url: 'unix:/run/x', showValues: false, ...plain }],
  ['explain --all', { verb: 'explain', of: 'all', json: false, url: undefined, showValues: false, ...plain }],
  ['subgroups lint', { verb: 'subgroups lint', files: [], json: false, ...plain }],
  ['subgroups lint a b --json', { verb: 'subgroups lint', files: ['a', 'b'], json: true, ...plain }],
  ['subgroups test a', { verb: 'subgroups test', path: 'a', ...plain }],
  ['import process-exporter a', { verb: 'import process-exporter', path: 'a', procnames: '', namemapping: '', ...plain }],
  ['import process-exporter --procnames a --namemapping b,c', { verb: 'import process-exporter', path: undefined, procnames: 'a', namemapping: 'b,c', ...plain }],
  ['scan', { verb: 'scan', ...once, ...plain }],
  ['scan --json', { verb: 'scan', ...once, json: true, ...plain }],
  ['scan --sort cpu --top 5 --group db/postgres --watch 2s', { verb: 'scan', ...once, sort: 'cpu', top: 5, of: { group: 'db', subgroup: 'postgres' }, watch: 2, ...plain }],
  ['scan --exact --group db', { verb: 'scan', ...once, exact: true, of: { group: 'db', subgroup: undefined }, ...plain }],
  ['explain postgres', { verb: 'explain', of: { name: 'postgres' }, json: false, url: undefined, showValues: false, ...plain }],
  ['subgroups --all', { verb: 'subgroups', all: true, url: undefined, ...plain }],
  ['config show', { verb: 'config show', json: false, ...plain }],
  ['config show --json', { verb: 'config show', json: true, ...plain }],
  ['config init', { verb: 'config init', ...plain }],
  ['explain 4711 --show-values', { verb: 'explain', of: { pid: 4711 }, json: false, url: undefined, showValues: true, ...plain }],
  ['capture --show-values', { verb: 'capture', output: undefined, frames: 1, every: 1, showValues: true, ...plain }],
  ['capture', { verb: 'capture', output: undefined, frames: 1, every: 1, showValues: false, ...plain }],
  ['capture -o x --frames 3 --every 1m', { verb: 'capture', output: 'x', frames: 3, every: 60, showValues: false, ...plain }],
  ['capture --output=x --port 1', { verb: 'capture', output: 'x', frames: 1, every: 1, showValues: false, flags: [flag('port', '--port', '1')], file: undefined }],
  ['-c x', { verb: 'serve', flags: [], file: 'x' }],
  ['--config x check', { verb: 'check', flags: [], file: 'x' }],
  ['check --config.file=x', { verb: 'check', flags: [], file: 'x' }],
  ['--port 1', { verb: 'serve', flags: [flag('port', '--port', '1')], file: undefined }],
  ['--min-uss-kb -1', { verb: 'serve', flags: [flag('min_uss_kb', '--min-uss-kb', '-1')], file: undefined }],
  ['--bind ""', { verb: 'serve', flags: [flag('bind', '--bind', '')], file: undefined }],
  ['--process-io --no-enable-rss', { verb: 'serve', flags: [flag('process_io', '--process-io', true), flag('enable_rss', '--no-enable-rss', false)], file: undefined }],
  ['--subgroups a scan --subgroups b,c', { verb: 'scan', ...once, flags: [flag('subgroups', '--subgroups', 'a'), flag('subgroups', '--subgroups', 'b,c')], file: undefined }],
  ['--web.listen-address :1 --web.listen-address [::1]:2', { verb: 'serve', flags: [flag('web_listen_address', '--web.listen-address', ':1'), flag('web_listen_address', '--web.listen-address', '[::1]:2')], file: undefined }],
];
for (const [line, invocation] of understood) {
  test(`understands ${line || 'nothing at all'}`, () => assert.deepEqual(understandingOf(argv(line)), invocation));
}

for (const key of keys) {
  const { type: kind } = optionOf(key);
  const forms = kind.placeholder
    ? flagsOf(key).map((form) => ({ form, words: [form, 'x'], value: 'x' }))
    : [
        ...flagsOf(key).map((form) => ({ form, words: [form], value: true })),
        ...noFlagsOf(key).map((form) => ({ form, words: [form], value: false })),
      ];
  test(`${forms.map(({ form }) => form).join(' and ')} set ${key}`, () => {
    for (const { form, words, value } of forms)
      assert.deepEqual(understandingOf(words), { verb: 'serve', flags: [flag(key, form, value)], file: undefined });
  });
}

// biome-ignore format: one line a case
const asNodeExporter: readonly [line: string, key: Key, value: unknown][] = [
  ['--collector.cgroup', 'collector_cgroup', true], ['--no-collector.group', 'collector_group', false],
  ['--web.disable-exporter-metrics', 'collector_exporter', false], ['--no-web.disable-exporter-metrics', 'collector_exporter', true],
  ['--web.max-requests=7', 'max_requests_in_flight', '7'], ['--web.systemd-socket', 'web_systemd_socket', true],
  ['--no-web.systemd-socket', 'web_systemd_socket', false],
];
for (const [line, key, value] of asNodeExporter) {
  test(`${line} means what it means to node_exporter`, () => {
    const { flags } = understandingOf([line]) as { flags: Flag[] };
    assert.deepEqual(flags, [flag(key, line.split('=')[0]!, value as string)]);
  });
}

test('two spellings of one switch that contradict each other are refused', () => {
  const parsed = parseArguments(['--collector.exporter', '--web.disable-exporter-metrics']);
  const message =
    '--collector.exporter and --web.disable-exporter-metrics both set collector_exporter; keep one of them';
  assert.deepEqual(parsed, { output: `herakles-node-exporter: ${message}\n`, status: 2 });
});

const usage = (line: string): UsageText => {
  const parsed = parseArguments(argv(line));
  assert.ok('status' in parsed);
  return parsed;
};

test('--help names every command, every flag with its default and its variable, in 110 columns', () => {
  const { output, status } = usage('--help');
  assert.equal(status, 0);
  const help = output.replaceAll(/\s+/g, ' ');
  for (const { name, summary } of verbs) {
    const [first, second] = name.split(' ');
    assert.match(second ? usage(`${first} --help`).output : output, new RegExp(`^  ${second ?? first}\\b`, 'm'));
    assert.ok(usage(`${name} --help`).output.replaceAll(/\s+/g, ' ').includes(summary), name);
  }
  for (const key of keys) {
    const { type: kind, section, help: meaning, default: initial } = optionOf(key);
    const value = String(kind.write(initial));
    const shown = kind.placeholder ? `${flagOf(key)} <` : flagOf(key).replace('--', '--[no-]');
    for (const part of [shown, `${section}:`, meaning, variableOf(key)])
      assert.ok(help.includes(part), `${key}: ${part}`);
    if (value) assert.ok(help.includes(`default ${value}; ${variableOf(key)}`), key);
  }
  for (const line of output.split('\n')) assert.ok(line.length <= 110, line);
});

test('--help, help and -h print the help of a command', () => {
  for (const line of ['scan --help', 'scan -h', 'help scan', '--port x scan --help']) {
    assert.match(usage(line).output, /^Usage: herakles-node-exporter scan .*--json/s);
    assert.equal(usage(line).status, 0);
  }
  assert.equal(usage('help').output, usage('--help').output);
});

test('config alone shows its help as a usage error', () => {
  assert.match(usage('config').output, /Usage: herakles-node-exporter config/);
  assert.equal(usage('config').status, 2);
});

test('--version is one line', () => {
  const { output, status } = usage('--version');
  const [first, ...facts] = output.trimEnd().split('\n');
  assert.deepEqual([first, status], ['herakles-node-exporter dev (revision unknown)', 0]);
  const { versions, platform, arch } = process;
  assert.deepEqual(
    facts.map((line) => line.split(/: +/).map((word) => word.trim())),
    [
      ['build date', 'unknown'],
      ['Node.js', versions.node],
      ['platform', `${platform}/${arch}`],
    ],
  );
});

test('any arguments give an invocation or a text', () => {
  const flags = keys.flatMap((key) => [flagOf(key), `--no-${flagOf(key).slice(2)}`]);
  const words = fc.constantFrom(
    ...flags,
    'scan',
    'config',
    'show',
    'init',
    'explain',
    '1',
    '--',
    '-',
    '-o',
    '--json',
    '-c',
    '=',
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(words, fc.string({ unit: 'binary' })), { maxLength: 6 }), (argv) => {
      const parsed = parseArguments(argv);
      if ('status' in parsed) assert.ok(parsed.output.endsWith('\n'));
      else assert.equal(typeof parsed.verb.name, 'string');
    }),
  );
});
