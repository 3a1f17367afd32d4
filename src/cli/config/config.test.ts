import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'yaml';
import type { Flag } from '../../config/layers.ts';
import { load, type Sources } from '../../config/load.ts';
import { OperatorFileError } from '../../config/operator-files.ts';
import { defaults, keys, optionOf } from '../../config/options.ts';
import { initialConfig, showConfig } from './config.ts';

/** A host whose only configuration is this text as ./herakles.yaml. */
const host = (text?: string, flags: Flag[] = []): Sources => ({
  cwd: '/cwd',
  flags,
  readFile: (path) => {
    if (text !== undefined && path === '/cwd/herakles.yaml') return new TextEncoder().encode(text);
    throw new OperatorFileError('missing', `${path}: no such file`);
  },
});

/** Names that YAML, or YAML 1.1, would take for something else unless they stand in quotes. */
const names = [
  'a b',
  '#x',
  'on',
  'off',
  'null',
  'true',
  '1',
  '1e3',
  '0x1',
  '.inf',
  '2001-01-01',
  '"',
  "'",
  'é',
  '- a',
  'a: b',
  '~',
  '[]',
];
const flags: Flag[] = [
  ...names.map((value): Flag => ({ key: 'include_names', flag: '--include-names', value })),
  { key: 'smaps', flag: '--smaps', value: 'off' },
  { key: 'smaps_max_age', flag: '--smaps-max-age', value: '1h1m' },
  { key: 'capture', flag: '--capture', value: 'a dir/x' },
  { key: 'enable_rss', flag: '--no-enable-rss', value: false },
];

test('config init states every key with its default, and loads back unchanged', async () => {
  const text = initialConfig();
  assert.deepEqual(Object.keys(parse(text)), keys);
  const { config, origins } = await load(host(text));
  assert.deepEqual(config, defaults);
  assert.match(origins.log_format, /^\/cwd\/herakles\.yaml:\d+$/);
});

test('config init tells meaning, what is taken, and what needs a restart', () => {
  const wanted =
    '# Where procfs is mounted. Takes effect at the next start.\n# Takes the path of a mounted procfs.\npath_procfs: /proc\n';
  assert.ok(initialConfig().includes(wanted));
  for (const key of keys) assert.ok(initialConfig().includes(`# ${optionOf(key).help}`), key);
});

test('config show prints what loads back unchanged, whatever the values are', async () => {
  const loaded = await load(host(undefined, flags));
  const text = showConfig(loaded, false);
  assert.deepEqual(parse(text, { version: '1.1' }), parse(text), 'YAML 1.1 reads it differently');
  assert.deepEqual((await load(host(text))).config, loaded.config);
});

test('config show says where each value came from', async () => {
  const loaded = await load(host('# mine\nport: 1', flags));
  const lines = showConfig(loaded, false).split('\n');
  for (const line of [
    'port: 1                                  # /cwd/herakles.yaml:2',
    'smaps: "off"                             # --smaps',
    'interval: auto                           # default',
    'enable_rss: false                        # --no-enable-rss',
  ]) {
    assert.ok(lines.includes(line), line);
  }
});

test('config show --json is for programs', async () => {
  const shown = JSON.parse(showConfig(await load(host('port: 1\nsmaps_budget: 0.5', flags)), true));
  assert.deepEqual(Object.keys(shown), keys);
  assert.deepEqual(shown.port, { value: 1, origin: '/cwd/herakles.yaml:1' });
  assert.deepEqual(shown.smaps_budget, { value: '50%', origin: '/cwd/herakles.yaml:2' });
  assert.deepEqual(shown.include_names, { value: names, origin: '--include-names' });
  assert.deepEqual(shown.enable_rss, { value: false, origin: '--no-enable-rss' });
});
