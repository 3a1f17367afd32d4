// Open descriptors and context switches of real processes, compared with what the kernel says of them.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { eventually, need, needRoot, nobody, type Scope, Started, scratch, startExporter } from './harness.ts';

/** A process with a number of open descriptors and a limit. Its first three, and what the test gives it, come on top. */
async function holder(t: Scope, name: string, open: number, limit: number): Promise<Started> {
  const script = `ulimit -S -n ${limit}; for i in $(seq 10 ${9 + open}); do eval "exec $i</dev/null"; done; echo ready 1; exec -a ${name} sleep 600`;
  const started = new Started(t, ['bash', '-c', script]);
  await started.line('ready');
  await eventually(async () => assert.match(readFileSync(`/proc/${started.pid}/cmdline`, 'utf8'), /^hk-/));
  return started;
}

const openOf = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length;

/** Rules for the two holders: what their command lines begin with. */
function rules(): string {
  const file = `${scratch()}/rules.toml`;
  const rule = (name: string) => `[[rule]]\ngroup = "test"\nsubgroup = "${name}"\nargv = "^hk-${name}"\n`;
  writeFileSync(file, rule('full') + rule('idle'));
  return file;
}

const users = [
  ['root', undefined],
  ['nobody', nobody],
] as const;

for (const [user, uid] of users) {
  test(`as ${user}: the number of open descriptors, and the process of a group that is nearest to its limit`, async (t) => {
    if (!needRoot(t) || !need(t, 'setpriv')) return;
    const full = await holder(t, 'hk-full', 50, 64);
    const other = await holder(t, 'hk-full', 2, 1024);
    const idle = await holder(t, 'hk-idle', 1, 1024);
    const args = ['--interval', '1s', '--collector-descriptors', '--subgroups', rules()];
    const exporter = await startExporter(t, { args, ...(uid !== undefined && { uid }) });
    const seen = await eventually(async () => {
      const page = await exporter.scrape();
      assert.ok(page.all('herakles_process_open_fds', { subgroup: 'full' }).length === 2, page.text.slice(0, 300));
      return page;
    });
    for (const { pid } of [full, other, idle])
      assert.equal(seen.value('herakles_process_open_fds', { pid }), openOf(pid!), `${pid}`);
    const ratio = (subgroup: string) => seen.value('herakles_group_max_fds_ratio', { group: 'test', subgroup });
    assert.ok(Math.abs(ratio('full') - openOf(full.pid!) / 64) < 1e-3, `${ratio('full')}`);
    assert.ok(Math.abs(ratio('idle') - openOf(idle.pid!) / 1024) < 1e-3, `${ratio('idle')}`);
    assert.deepEqual(seen.all('herakles_exporter_unreadable_processes', { file: 'fd', reason: 'denied' }), []);
  });
}

test('without series of processes, the ratio of a group is still there; by default nothing of it is read', async (t) => {
  const full = await holder(t, 'hk-full', 50, 64);
  const args = ['--interval', '1s', '--subgroups', rules()];
  const none = await startExporter(t, { args: [...args, '--collector-descriptors', '--per-process', 'none'] });
  await eventually(async () => {
    const page = await none.scrape();
    const ratio = page.value('herakles_group_max_fds_ratio', { group: 'test', subgroup: 'full' });
    assert.ok(Math.abs(ratio - openOf(full.pid!) / 64) < 1e-3);
    assert.deepEqual(page.all('herakles_process_open_fds'), []);
  });
  const off = await (await startExporter(t, { args })).scrape();
  assert.doesNotMatch(off.text, /_fds_ratio|process_open_fds\{/);
});

test('one process with very many descriptors holds nothing', async (t) => {
  // As many as its hard limit allows, up to 15,000; Node.js raises the soft one.
  const source = `const fs=require('fs');let n=0;try{while(n<15000){fs.openSync('/dev/null');n++}}catch{}process.stdout.write('ready '+n+'\\n');setInterval(()=>{},1e6)`;
  const many = new Started(t, [process.execPath, '-e', source]);
  const count = Number((await many.line('ready'))[0]);
  assert.ok(count > 500, `${count}`);
  const exporter = await startExporter(t, { args: ['--cache-ttl', '0s', '--collector-descriptors'] });
  const page = await eventually(async () => {
    const seen = await exporter.scrape();
    assert.ok(seen.value('herakles_process_open_fds', { pid: many.pid! }) >= count);
    return seen;
  });
  assert.equal(page.value('herakles_exporter_cache_update_success'), 1);
});

test('context switches are those of /proc/PID/status', async (t) => {
  const busy = new Started(t, [process.execPath, '-e', 'setInterval(()=>{},5);console.log("ready 1")']);
  await busy.line('ready');
  const exporter = await startExporter(t, { args: ['--cache-ttl', '0s', '--process-context-switches'] });
  const pid = busy.pid!;
  const truth = (name: string) =>
    Number(new RegExp(`^${name}_ctxt_switches:\\s+(\\d+)$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]);
  for (const [kind, name] of [
    ['voluntary', 'voluntary'],
    ['involuntary', 'nonvoluntary'],
  ] as const) {
    const before = truth(name);
    const seen = (await exporter.scrape()).value(`herakles_process_${kind}_context_switches_total`, { pid });
    const after = truth(name);
    assert.ok(before <= seen && seen <= after, `${kind}: ${before} ${seen} ${after}`);
  }
  const family = 'herakles_process_voluntary_context_switches_total';
  const first = (await exporter.scrape()).value(family, { pid });
  await eventually(async () => assert.ok((await exporter.scrape()).value(family, { pid }) > first));
});
