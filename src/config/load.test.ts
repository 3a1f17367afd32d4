import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { type Environment, type Flag, merge } from './layers.ts';
import { ConfigError, configPaths, load, type Sources } from './load.ts';
import { OperatorFileError } from './operator-files.ts';
import { defaults, flagOf, type Key, keys, optionOf, variableOf } from './options.ts';

/** A host that has only these files; null is a file in a folder that this user may not enter. */
function host(files: Record<string, string | Uint8Array | null>, rest: Partial<Sources> = {}): Sources {
  const readFile = (path: string) => {
    const content = files[path];
    if (content === undefined) throw new OperatorFileError('missing', `${path}: no such file`);
    if (content === null) throw new OperatorFileError('unreachable', `${dirname(path)}: may not be entered`);
    return typeof content === 'string' ? new TextEncoder().encode(content) : content;
  };
  return { cwd: '/cwd', home: '/home/me', readFile, ...rest };
}
const etc = '/etc/herakles/config.yaml';
const flag = (key: Key, value: string | boolean, spelling = flagOf(key)): Flag => ({ key, flag: spelling, value });

// biome-ignore format: one line a case
const refused: [what: string, sources: Sources, ...faults: string[]][] = [
  ['an unknown key', host({ [etc]: 'cache_tll: 5s' }), `${etc}:1: unknown key cache_tll; did you mean cache_ttl?`],
  ['a key like no other', host({ [etc]: 'parallelism: 4' }), `${etc}:1: unknown key parallelism; "config init" prints every setting`],
  ['a key with escapes in it', host({ [etc]: '"\\e[2J": 1' }), `${etc}:1: unknown key "\\u001b[2J"; "config init" prints every setting`],
  ['__proto__', host({ [etc]: '__proto__: 1' }), `${etc}:1: unknown key __proto__; "config init" prints every setting`],
  ['constructor', host({ [etc]: 'constructor: 1' }), `${etc}:1: unknown key constructor; "config init" prints every setting`],
  ['a wrong type', host({ [etc]: '\nport: http' }), `${etc}:2: port is "http"; give an integer from 0 to 65535`],
  ['a number in quotes', host({ [etc]: 'port: "9215"' }), `${etc}:1: port is "9215"; give an integer from 0 to 65535`],
  ['no value', host({ [etc]: 'port:' }), `${etc}:1: port is empty; give an integer from 0 to 65535`],
  ['a nested value', host({ [etc]: 'port: {http: 1}' }), `${etc}:1: port is no plain value; give an integer from 0 to 65535`],
  ['a value out of range', host({ [etc]: 'port: 65536' }), `${etc}:1: port is 65536; give an integer from 0 to 65535`],
  ['a negative number that rounds to nothing', host({ [etc]: 'cache_ttl: -5e-324\nport: -0' }), `${etc}:1: cache_ttl is -5e-324; give a duration from 0s to 1h`, `${etc}:2: port is -0; give an integer from 0 to 65535`],
  ['a negative variable', host({}, { env: { HERAKLES_CACHE_TTL: '-0.0004' } }), 'HERAKLES_CACHE_TTL: cache_ttl is -0.0004; give a duration from 0s to 1h'],
  ['a negative flag', host({}, { flags: [flag('cache_ttl', '-0.0004')] }), '--cache-ttl: cache_ttl is -0.0004; give a duration from 0s to 1h'],
  ['infinity', host({ [etc]: 'interval: .inf' }), `${etc}:1: interval is Infinity; give auto, or a duration from 100ms to 1h`],
  ['text for a list', host({ [etc]: 'include_names: nginx' }), `${etc}:1: include_names is "nginx"; give a list of names`],
  ['a list of the wrong', host({ [etc]: 'declared_groups: [db]' }), `${etc}:1: declared_groups is ["db"]; give a list of group/subgroup pairs`],
  ['a long value', host({ [etc]: `bind: '${'!'.repeat(500)}'` }), `${etc}:1: bind is "${'!'.repeat(79)}…; give an address or host name without a port, or nothing`],
  ['a telemetry path that is a page', host({ [etc]: 'web_telemetry_path: /health' }, { servedPaths: ['/', '/health'] }), `${etc}:1: web_telemetry_path is "/health", which is another page of this server; give a path that is free, such as /metrics`],
  ['the landing page as telemetry path', host({}, { flags: [flag('web_telemetry_path', '/', '--web.telemetry-path')], servedPaths: ['/', '/health'] }), '--web.telemetry-path: web_telemetry_path is "/", which is another page of this server; give a path that is free, such as /metrics'],
  ['a telemetry path that is none', host({ [etc]: 'web_telemetry_path: metrics' }), `${etc}:1: web_telemetry_path is "metrics"; give a path that starts with / and has no space, ? or #`],
  ['a key twice', host({ [etc]: 'port: 1\nbind: ""\nport: 2' }), `${etc}:3: port is set again after line 1; keep one of them`],
  ['malformed YAML', host({ [etc]: 'port: [' }), `${etc}:1: is not valid YAML (Flow sequence in block collection must be sufficiently indented and end with a ]); correct this line`],
  ['a NUL byte', host({ [etc]: 'port: 1\n\0' }), `${etc}:2: holds a NUL byte; remove it`],
  ['bytes that are not UTF-8', host({ [etc]: Buffer.from('port: 1\nbind: \xff', 'latin1') }), `${etc}:2: is not UTF-8 text; save it as UTF-8`],
  ['a folder that may not be entered', host({ '/tmp/x.yaml': null }, { file: '/tmp/x.yaml' }), '/tmp: may not be entered'],
  ['two files in one place', host({ [etc]: 'port: 1', '/etc/herakles/config.toml': 'port = 1' }), `${etc} and /etc/herakles/config.toml: only one of them can be read; keep one of them`],
  ['a missing file that was named', host({}, { file: 'my.yaml' }), '/cwd/my.yaml: no such file'],
  ['a named file of no format', host({ '/x.conf': '' }, { file: '/x.conf' }), '/x.conf:1: is of no known format; name it .yaml, .yml, .json or .toml'],
  ['a format that is a trap', host({ '/x.constructor': '' }, { file: '/x.constructor' }), '/x.constructor:1: is of no known format; name it .yaml, .yml, .json or .toml'],
  ['a folder by that name', host({}, { file: '/tmp', readFile: undefined }), '/tmp: is a directory; put a configuration file in its place'],
  ['a device', host({}, { file: '/dev/zero', readFile: undefined }), '/dev/zero: is a device; put a configuration file in its place'],
  ['an unknown variable', host({}, { env: { HERAKLES_CACHE_TLL: '5s' } }), 'HERAKLES_CACHE_TLL: unknown variable HERAKLES_CACHE_TLL; did you mean HERAKLES_CACHE_TTL?'],
  ['a wrong variable', host({}, { env: { HERAKLES_PORT: 'x' } }), 'HERAKLES_PORT: port is "x"; give an integer from 0 to 65535'],
  ['an empty variable', host({}, { env: { HERAKLES_PORT: '' } }), 'HERAKLES_PORT: port is empty; give an integer from 0 to 65535'],
  ['an address for a port', host({}, { env: { HERAKLES_PORT: 'tcp://10.0.0.1:9215' } }), 'HERAKLES_PORT: port is "tcp://10.0.0.1:9215"; give an integer from 0 to 65535'],
  ['a wrong flag', host({}, { flags: [flag('log_level', 'loud', '--log.level')] }), '--log.level: log_level is "loud"; give debug, info, warn or error'],
  ['a search for nothing', host({ [etc]: 'search_mode: include' }), `${etc}:1: search_mode is "include" but search_groups and search_subgroups are empty; name a group or a subgroup`],
  [
    'many things at once',
    host(
      { [etc]: 'prot: 1\nport: x', '/cwd/herakles.json': '{"a": 1,}' },
      { env: { HERAKLES_X: '1' }, flags: [flag('smaps', 'no')] },
    ),
    `${etc}:1: unknown key prot; did you mean port?`,
    `${etc}:2: port is "x"; give an integer from 0 to 65535`,
    '/cwd/herakles.json:1: is valid YAML, but not valid JSON; correct this line, or name the file .yaml',
    'HERAKLES_X: unknown variable HERAKLES_X; "config init" prints every setting',
    '--smaps: smaps is "no"; give bounded, exact or off',
  ],
];
for (const [what, sources, ...faults] of refused) {
  test(`refuses ${what}`, async () => {
    await assert.rejects(load(sources), (error: unknown) => {
      assert.ok(error instanceof ConfigError);
      assert.deepEqual(error.faults, faults);
      assert.equal(error.message, faults.join('\n'));
      return true;
    });
  });
}

test('a message stays readable however much is wrong', async () => {
  const error = await load(host({ [etc]: 'x: 1\n'.repeat(1000) })).catch((error) => error);
  assert.equal(error.faults.length, 51);
  assert.equal(error.message, error.faults.join('\n'));
  assert.equal(error.message.split('\n').at(-1), '… and 950 more');
  assert.equal(new ConfigError(Array.from({ length: 51 }, () => 'x')).faults.at(-1), 'x');
});

test('without any source everything is its default', async () => {
  const { config, origins, files } = await load(host({}, { home: undefined }));
  assert.deepEqual(config, defaults);
  assert.deepEqual(new Set(Object.values(origins)), new Set(['default']));
  assert.deepEqual(files, []);
});

test('each source wins over the one before it, and says so', async () => {
  const files: Record<string, string> = {};
  const env: Record<string, string> = {};
  const flags: Flag[] = [];
  const step = async (value: number, origin: string, file?: string) => {
    const { config, origins } = await load(host(files, { env, flags, file }));
    assert.deepEqual([config.port, origins.port], [value, origin]);
  };
  files[etc] = 'port: 1';
  await step(1, `${etc}:1`);
  files['/home/me/.config/herakles/config.toml'] = '\nport = 2';
  await step(2, '/home/me/.config/herakles/config.toml:2');
  files['/cwd/herakles.json'] = '{\n\n"port": 3}';
  await step(3, '/cwd/herakles.json:3');
  files['/cwd/mine.yml'] = '# mine\nport: 4';
  await step(4, '/cwd/mine.yml:2', 'mine.yml');
  env.HERAKLES_PORT = '5';
  await step(5, 'HERAKLES_PORT', 'mine.yml');
  flags.push(flag('port', '6', '--web.listen-address'));
  await step(6, '--web.listen-address', 'mine.yml');
});

test('an address and a port on one command line are one too many; an address wins over a port in a file', async () => {
  const listen = flag('web_listen_address', ':2', '--web.listen-address');
  const flags = [flag('port', '1', '--port'), listen];
  const refused = await load(host({}, { flags })).catch((error: ConfigError) => error);
  assert.deepEqual('faults' in refused && refused.faults, [
    '--web.listen-address: takes the place of --port; keep one of them',
  ]);
  const { config } = await load(host({ [etc]: 'port: 1' }, { flags: [listen] }));
  assert.deepEqual(config.web_listen_address, [':2']);
});

test('sources complete each other, and a list replaces a list', async () => {
  const files = { [etc]: 'port: 1\ninclude_names: [a, b]', '/cwd/herakles.yaml': 'bind: ::1\ninclude_names: [c]' };
  const { config, files: read } = await load(host(files, { env: { HERAKLES_CACHE_TTL: '30' } }));
  assert.deepEqual([config.port, config.bind, config.include_names, config.cache_ttl], [1, '::1', ['c'], 30]);
  assert.deepEqual(read, Object.keys(files));
});

test('a repeated flag of a list adds up, commas and all', async () => {
  const flags = [flag('subgroups', 'a.toml'), flag('subgroups', '/b.toml,c.toml')];
  const { config } = await load(host({}, { flags, env: { HERAKLES_SUBGROUPS: 'lost.toml' } }));
  assert.deepEqual(config.subgroups, ['/cwd/a.toml', '/b.toml', '/cwd/c.toml']);
});

test('a relative path starts where it was stated', async () => {
  const files = { [etc]: 'subgroups: [mine.toml]\ncapture: ../x', '/cwd/herakles.yaml': 'path_procfs: proc' };
  const { config } = await load(host(files));
  assert.deepEqual([config.subgroups, config.capture], [['/etc/herakles/mine.toml'], '/etc/x']);
  assert.equal(config.path_procfs, '/cwd/proc');
});

// biome-ignore format: one line a case
const services: [what: string, env: Environment, port: number][] = [
  ['named herakles', { HERAKLES_SERVICE_HOST: '10.0.0.1', HERAKLES_SERVICE_PORT: '9215', HERAKLES_PORT: 'tcp://10.0.0.1:9215' }, 9215],
  ['with named ports', { HERAKLES_SERVICE_HOST: '10.0.0.1', HERAKLES_SERVICE_PORT_METRICS: '9215', HERAKLES_PORT_9215_TCP_ADDR: '10.0.0.1', }, 9215],
  ['named herakles-node-exporter', { HERAKLES_NODE_EXPORTER_SERVICE_HOST: 'x', HERAKLES_NODE_EXPORTER_PORT: 'tcp://x:1', HERAKLES_NODE_EXPORTER_PORT_1_TCP: 'x', }, 9215],
  ['beside a port somebody chose', { HERAKLES_SERVICE_HOST: '10.0.0.1', HERAKLES_PORT: '9300' }, 9300],
];
for (const [what, env, port] of services) {
  test(`variables of a Kubernetes Service ${what} are no configuration`, async () => {
    assert.equal((await load(host({}, { env }))).config.port, port);
  });
}

test('a folder nobody chose and this user may not search holds nothing for it', async () => {
  const hidden = { '/root/.config/herakles/config.yaml': null };
  assert.deepEqual((await load(host(hidden, { home: '/root' }))).files, []);
});

test('what to watch is everything that was looked for', () => {
  assert.deepEqual(configPaths({ cwd: '/cwd', file: 'mine.yaml' }), [
    ...['yaml', 'yml', 'json', 'toml'].map((ending) => `/etc/herakles/config.${ending}`),
    ...['yaml', 'yml', 'json', 'toml'].map((ending) => `/cwd/herakles.${ending}`),
    '/cwd/mine.yaml',
  ]);
});

test('layers merge associatively, the later one wins, and an empty one changes nothing', () => {
  const setting = fc.record({ value: fc.jsonValue(), origin: fc.string() });
  const layer = fc.array(fc.tuple(fc.constantFrom(...keys), setting), { maxLength: 8 }).map((list) => new Map(list));
  fc.assert(
    fc.property(layer, layer, layer, (a, b, c) => {
      const all = merge(a, b, c);
      assert.deepEqual(merge(merge(a, b), c), all);
      assert.deepEqual(merge(a, merge(b, c)), all);
      assert.deepEqual(merge(new Map(), a, new Map()), a);
      for (const [key, one] of all) assert.equal(one, c.get(key) ?? b.get(key) ?? a.get(key));
    }),
  );
});

test('any bytes as a file, any variables: a configuration or a ConfigError', async () => {
  const keyed = fc.record({ key: fc.constantFrom(...keys, '__proto__', 'x'), value: fc.jsonValue() });
  const bytes = fc.oneof(
    fc.uint8Array(),
    keyed.map(({ key, value }) => new TextEncoder().encode(`${key}: ${JSON.stringify(value)}`)),
  );
  const names = keys.map(variableOf);
  const env = fc.dictionary(fc.constantFrom(...names, 'HERAKLES_', 'PATH', '__proto__'), fc.string({ unit: 'binary' }));
  const property = fc.asyncProperty(
    bytes,
    fc.constantFrom('yaml', 'json', 'toml'),
    env,
    async (content, ending, env) => {
      try {
        const { config } = await load(host({ [`/cwd/herakles.${ending}`]: content }, { env }));
        for (const key of keys)
          assert.deepEqual(optionOf(key).type.read(optionOf(key).type.write(config[key])), config[key]);
      } catch (error) {
        assert.ok(error instanceof ConfigError, String(error));
      }
    },
  );
  await fc.assert(property, { numRuns: 400 });
});

const folder = mkdtempSync(join(tmpdir(), 'herakles-load-'));
after(() => rmSync(folder, { recursive: true }));

test('real files: through links and folders that are missing, but no pipe and nothing huge', async () => {
  const path = (name: string) => join(folder, name);
  const sources = { cwd: folder, system: path('etc'), home: path('nobody') };
  writeFileSync(path('target.yaml'), 'port: 7');
  symlinkSync('target.yaml', path('herakles.yaml'));
  mkdirSync(path('etc'));
  assert.deepEqual((await load(sources)).files, [path('herakles.yaml')]);
  writeFileSync(path('etc/config.yaml'), ' '.repeat(128 * 1024 + 1));
  execFileSync('mkfifo', [path('pipe.yaml')]);
  symlinkSync('loop.yaml', path('loop.yaml'));
  const faults = async (file: string) => (await load({ ...sources, file }).catch((error) => error)).faults;
  assert.deepEqual(await faults('pipe.yaml'), [
    `${path('etc/config.yaml')}: is larger than 128 KiB; put a configuration file in its place`,
    `${path('pipe.yaml')}: is a FIFO; put a configuration file in its place`,
  ]);
  assert.match(
    (await faults('loop.yaml'))[1],
    /loop\.yaml: cannot be read \(ELOOP: too many symbolic links encountered\); put/,
  );
});

test('a folder that may not be entered: passed over where nobody chose it, a fault where the system keeps it', async () => {
  const hidden = join(folder, 'hidden');
  mkdirSync(hidden);
  chmodSync(folder, 0o755);
  chmodSync(hidden, 0);
  const superuser = process.geteuid?.() === 0;
  if (superuser) process.seteuid?.(65534);
  try {
    const system = join(folder, 'none');
    assert.deepEqual((await load({ cwd: hidden, home: hidden, system })).files, []);
    const error = await load({ cwd: hidden, system: hidden }).catch((error) => error);
    assert.deepEqual(error.faults, [`${hidden}: may not be entered by this user; change its mode or owner`]);
  } finally {
    if (superuser) process.seteuid?.(0);
    chmodSync(hidden, 0o700);
  }
});

test('a foreign file that nobody named is left alone, however wrong it is; a named one is read', async () => {
  const wrong = 'port: x';
  const files = { [etc]: 'port: 1', '/home/me/.config/herakles/config.yaml': wrong, '/cwd/herakles.yaml': wrong };
  const asked: string[] = [];
  const isForeign = (path: string) => asked.push(path) > 0;
  assert.equal((await load(host(files, { isForeign }))).config.port, 1);
  assert.deepEqual([...new Set(asked.map((path) => dirname(path)))], ['/home/me/.config/herakles', '/cwd']);
  await assert.rejects(
    load(host(files, { isForeign, file: './herakles.yaml' })),
    /^ConfigError: \/cwd\/herakles\.yaml:1/,
  );
});
