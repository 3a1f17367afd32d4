// The children of a real script belong to the script's group where inherit_group is on: while the script lives, after
// it has ended, and after a reload. `explain` names the process that a group comes from.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { eventually, runBundle, Started, scratch, startExporter } from './harness.ts';

const reloads = 'herakles_exporter_config_last_reload_success_timestamp_seconds';

/** A script that waits for `sleep`, and a rule that matches the script alone. */
async function nightly(t: Parameters<typeof startExporter>[0]) {
  const folder = scratch();
  writeFileSync(`${folder}/nightly.sh`, '#!/bin/sh\nsleep 600 &\necho ready $! $$\nwait\n', { mode: 0o755 });
  writeFileSync(`${folder}/rules.toml`, 'rule = [{ group = "jobs", subgroup = "nightly", script = "nightly.sh" }]\n');
  const script = new Started(t, [`${folder}/nightly.sh`]);
  const [sleep, shell] = (await script.line('ready')).map(Number) as [number, number];
  await eventually(async () => {
    const { stdout } = await runBundle(t, ['explain', String(sleep), '--subgroups', `${folder}/rules.toml`]);
    assert.match(stdout, /exe +\S*(sleep|busybox|coreutils)/, 'it has become sleep');
  });
  return { sleep, shell, rules: `${folder}/rules.toml` };
}

test("a script's sleep belongs to the script", async (t) => {
  const { sleep, shell, rules } = await nightly(t);
  const args = ['--subgroups', rules, '--inherit-group'];
  const exporter = await startExporter(t, { args: [...args, '--cache-ttl', '0s'] });
  const nightlySleep = { pid: sleep, group: 'jobs', subgroup: 'nightly' };
  const inGroup = async () => {
    const page = await exporter.scrape();
    assert.equal(page.all('herakles_mem_process_rss_bytes', nightlySleep).length, 1);
    return page;
  };

  const page = await inGroup();
  const [info] = page.all('herakles_process_info', nightlySleep);
  assert.equal(info!.labels.rule, `inherited from PID ${shell} (${rules}:1)`);
  assert.equal(page.sum('herakles_group_processes', { group: 'jobs', subgroup: 'nightly' }), 2);
  const explained = await runBundle(t, ['explain', String(sleep), ...args]);
  assert.match(explained.stdout, new RegExp(`is in jobs/nightly, inherited from PID ${shell} `));

  process.kill(shell, 'SIGKILL');
  await eventually(async () => {
    assert.equal((await inGroup()).sum('herakles_group_processes', { group: 'jobs', subgroup: 'nightly' }), 1);
  });
  const before = (await exporter.scrape()).value(reloads);
  exporter.signal('SIGHUP');
  await eventually(async () => assert.ok((await exporter.scrape()).value(reloads) > before));
  await inGroup();
});

test('by default nothing is inherited', async (t) => {
  const { sleep, rules } = await nightly(t);
  const page = await (await startExporter(t, { args: ['--subgroups', rules, '--no-service-groups'] })).scrape();
  assert.equal(page.all('herakles_process_info', { pid: sleep, group: 'other', rule: 'none' }).length, 1);
});
