// subgroups lint, subgroups test and import by the real bundle: the exit status and the streams, on which scripts rely.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { runBundle, scratch } from './harness.ts';

const rule = (subgroup: string, keys: string) => `[[rule]]\ngroup = "g"\nsubgroup = "${subgroup}"\n${keys}\n`;
const sound = rule('web', 'comm = "acme-web"\nexamples = [ { comm = "acme-web" } ]');

test('lint and test end with 0, 1 or 2', async (t) => {
  const cwd = scratch();
  const run = (...args: string[]) => runBundle(t, ['subgroups', ...args], { cwd });
  const write = (text: string) => writeFileSync(`${cwd}/subgroups.toml`, text);
  // biome-ignore format: one line a case
  const cases: [rules: string, lint: number, test: number, says: RegExp][] = [
    [sound, 0, 0, /^0 findings in 1 rule of .*subgroups\.toml\n$/],
    [sound + rule('late', 'comm = "acme-web"'), 1, 0, /subgroups\.toml:6: error: g\/late: is never reached/],
    [rule('web', 'comm = "acme-web"\nexamples = [ { comm = "acme-x" } ]'), 1, 1, /subgroups\.toml:1: error: g\/web: its example/],
    [rule('web', 'com = "acme-web"'), 2, 2, /^$/],
    ['[[rule]', 2, 2, /^$/],
  ];
  for (const [rules, lint, test, says] of cases) {
    write(rules);
    const linted = await run('lint');
    assert.equal(linted.code, lint, rules + linted.stderr);
    assert.match(linted.stdout, says);
    assert.equal(linted.stderr === '', lint < 2);
    assert.equal((await run('test', 'subgroups.toml')).code, test, rules);
  }
});

test('imported rules are in force where they are put', async (t) => {
  const cwd = scratch();
  writeFileSync(
    `${cwd}/process-exporter.yml`,
    'process_names:\n  - name: herakles\n    cmdline: [herakles.cjs, scan]\n',
  );
  const imported = await runBundle(t, ['import', 'process-exporter', 'process-exporter.yml'], { cwd });
  assert.deepEqual([imported.code, imported.stderr], [0, '']);
  writeFileSync(`${cwd}/subgroups.toml`, imported.stdout);
  const scan = await runBundle(t, ['scan', '--json'], { cwd });
  const { processes } = JSON.parse(scan.stdout) as { processes: { group: string; subgroup: string }[] };
  const own = processes.filter(({ group, subgroup }) => group === 'process-exporter' && subgroup === 'herakles');
  assert.ok(own.length >= 1, scan.stdout.slice(0, 1000));
  const none = await runBundle(t, ['import', 'process-exporter', 'none.yml'], { cwd });
  assert.equal(none.code, 2);
  assert.match(none.stderr, /^herakles-node-exporter: none\.yml: no such file; correct the path/);
});
