// subgroups lint, subgroups test and import by the real bundle: the exit status and the streams, on which scripts rely.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { childProgram, eventually, replace, runBundle, scratch, startChildren, startExporter } from './harness.ts';

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
    ['[[constructor]]\na = 1\n', 2, 2, /^$/],
    ['[[__proto__]]\na = 1\n', 2, 2, /^$/],
  ];
  for (const [rules, lint, test, says] of cases) {
    write(rules);
    const linted = await run('lint');
    assert.equal(linted.code, lint, rules + linted.stderr);
    assert.match(linted.stdout, says);
    assert.equal(linted.stderr === '', lint < 2);
    assert.doesNotMatch(linted.stderr, /^\s+at /m);
    if (lint === 2) {
      const served = await runBundle(t, ['--port', '0'], { cwd });
      assert.equal(served.code, 2, served.stderr);
      assert.match(served.stderr, /^herakles-node-exporter: .*subgroups\.toml:1: /);
      assert.doesNotMatch(served.stderr, /^\s+at /m);
    }
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
  assert.equal(imported.code, 0);
  assert.match(imported.stderr, /^Next: save these rules .*\n$/);
  writeFileSync(`${cwd}/subgroups.toml`, imported.stdout);
  const scan = await runBundle(t, ['scan', '--json'], { cwd });
  const { processes } = JSON.parse(scan.stdout) as { processes: { group: string; subgroup: string }[] };
  const own = processes.filter(({ group, subgroup }) => group === 'process-exporter' && subgroup === 'herakles');
  assert.ok(own.length >= 1, scan.stdout.slice(0, 1000));
  const none = await runBundle(t, ['import', 'process-exporter', 'none.yml'], { cwd });
  assert.equal(none.code, 2);
  assert.match(none.stderr, /^herakles-node-exporter: none\.yml: no such file; correct the path/);
});

test('a rule file that costs much neither holds a serving exporter nor ends it', async (t) => {
  const cwd = scratch();
  const path = `${cwd}/subgroups.toml`;
  replace(path, sound);
  const exporter = await startExporter(t, { cwd });
  const tables = (count: number, keys: (i: number) => string) =>
    Array.from({ length: count }, (_, i) => rule(`s${i % 50}`, keys(i))).join('');
  // biome-ignore format: one line a case
  const cases: [rules: string, loaded: boolean, says: RegExp][] = [
    [tables(10_000, (i) => `comm = "name${i}"`), true, /configuration loaded/],
    [tables(7000, (i) => `argv = "((a+)+b?)+[k-z]{${i % 9}}"`), true, /configuration loaded/],
    [tables(10_001, (i) => `comm = "n${i}"`), false, /10001 rules are more than 10000; give rules lists/],
    [tables(40_000, (i) => `comm = "name${i}"`), false, /subgroups\.toml: is larger than 1 MiB/],
    ['[[rule]]\n'.repeat(40_000), false, /subgroups\.toml: 40000 rules are more than 10000/],
    ['[[rule]]\n'.repeat(60_000), false, /subgroups\.toml:1: has more than 50000 tables and lists; remove some/],
    [`${'a.'.repeat(500_000)}b = 1`, false, /subgroups\.toml:1: is nested too deep/],
    [`[[constructor]]\n${'a = ["__proto__"]\n[[__proto__]]\n'.repeat(1000)}`, false, /subgroups\.toml:1: unknown key \\?"constructor\\?"/],
    ['[[constructor]]\na = 1\n', false, /subgroups\.toml:1: unknown key \\?"constructor\\?"/],
    ['\n[[__proto__]]\na = 1\n', false, /subgroups\.toml:2: unknown key \\?"__proto__\\?"/],
  ];
  for (const [rules, loaded, says] of cases) {
    const earlier = exporter.stderr.length;
    replace(path, rules);
    exporter.signal('SIGHUP');
    let slowest = 0;
    await eventually(
      async () => {
        const began = performance.now();
        await (await fetch(`${exporter.url}/-/healthy`)).text();
        slowest = Math.max(slowest, performance.now() - began);
        assert.match(exporter.stderr.slice(earlier), says);
      },
      30_000,
      10,
    );
    t.diagnostic(`${says}: the slowest answer meanwhile after ${slowest.toFixed(0)} ms`);
    // 30 ms on an idle machine. The list of lines alone once took ten seconds.
    assert.ok(slowest < 1000, `${slowest} ms`);
    const metrics = await exporter.scrape();
    const successful = metrics.value('herakles_exporter_config_last_reload_successful');
    if (loaded !== (successful === 1)) assert.fail(`${says}: ${successful}`);
  }
});

test('groups named like what every object has are groups like any other', async (t) => {
  const cwd = scratch();
  await startChildren(t, 'private', 1);
  const keys = `exe = "${childProgram()}"`;
  writeFileSync(
    `${cwd}/subgroups.toml`,
    `[[rule]]\ngroup = "__proto__"\nsubgroup = "constructor"\n${keys}\n[[rule]]\ngroup = "toString"\nsubgroup = "valueOf"\ncomm = "none"\n`,
  );
  const args = ['--search-mode', 'include', '--search-groups', '__proto__', '--declared-groups', 'toString/valueOf'];
  const exporter = await startExporter(t, { cwd, args });
  await eventually(async () => {
    const metrics = await exporter.scrape();
    assert.equal(metrics.sum('herakles_group_processes', { group: '__proto__', subgroup: 'constructor' }), 1);
    assert.equal(metrics.sum('herakles_group_processes', { group: 'toString', subgroup: 'valueOf' }), 0);
    assert.equal(metrics.all('herakles_mem_process_rss_bytes', { group: '__proto__' }).length, 1);
    assert.ok(metrics.all('herakles_group_processes', { group: 'toString' }).length > 0);
  });
  for (const page of ['/subgroups', '/config', '/']) assert.equal((await fetch(exporter.url + page)).status, 200, page);
});

test('a misspelled group is said by check, the log, the page and a metric, until it is corrected', async (t) => {
  const cwd = scratch();
  const wrong =
    'declared_groups: [db/postgress, service/shop]\nsearch_mode: include\nsearch_groups: [dbb]\ntop_n_others: 4\n';
  replace(`${cwd}/herakles.yaml`, wrong);
  const said = ['declared_groups names db/postgress, which no rule has; did you mean db/postgres?', 'did you mean db?'];
  const check = await runBundle(t, ['check'], { cwd });
  assert.equal(check.code, 0, check.stderr);
  for (const text of said) assert.ok(check.stdout.includes(text), check.stdout);
  assert.match(check.stdout, /warning: .*herakles\.yaml:4: top_n_others has no effect while per_process is all/);

  const exporter = await startExporter(t, { cwd });
  const unknown = async (setting: string) =>
    (await exporter.scrape()).value('herakles_exporter_unknown_names', { setting });
  assert.equal(await eventually(() => unknown('declared_groups')), 1);
  assert.equal(await unknown('search_groups'), 1);
  const page = async () => (await (await fetch(exporter.url)).text()).replaceAll('</strong> <small>', '; ');
  for (const text of said) assert.ok((await page()).includes(text), text);
  const warned = /level=warn .*setting=search_groups name=dbb remedy="did you mean db\?"/;
  await eventually(() => assert.match(exporter.stderr, warned));
  const seen = await exporter.scrape();
  assert.deepEqual(seen.all('herakles_group_declared', { subgroup: 'postgress' }), []);
  assert.equal(seen.value('herakles_group_declared', { group: 'service', subgroup: 'shop' }), 1);

  replace(`${cwd}/herakles.yaml`, wrong.replace('postgress', 'postgres').replace('dbb', 'db'));
  await eventually(async () => {
    assert.equal(await unknown('declared_groups'), 0);
    assert.equal(await unknown('search_groups'), 0);
    assert.equal((await exporter.scrape()).value('herakles_group_declared', { subgroup: 'postgres' }), 1);
  });
  await eventually(async () => assert.doesNotMatch(await page(), /did you mean/));
  assert.equal(exporter.stderr.match(/names? .*group.* no rule/g)?.length, 2, exporter.stderr);
});
