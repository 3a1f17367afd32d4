// Segments of huge pages that some groups share and others do not: each belongs to the groups that map it, and counts once on
// the host. A memfd and a segment of System V, 256 MiB each: `first` maps the one, `second` and `other` map the other, and `both`
// maps both.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { childProgram, childRules, eventually, near, need, needRoot, Started, startExporter } from './harness.ts';
import { hugePagesInUse, reserveHugePages } from './host-resources.ts';

const MIB = 2 ** 20;
const SEGMENT = 256 * MIB;
/** A segment is divided equally among those that map it. */
const EXPECTED = { first: SEGMENT / 2, second: SEGMENT / 3, other: SEGMENT / 3, both: SEGMENT / 2 + SEGMENT / 3 };

for (const mode of ['exact', 'bounded']) {
  test(`smaps ${mode}: of two segments of huge pages each belongs to the groups that map it`, async (t) => {
    if (!needRoot(t) || !need(t, 'cc') || !reserveHugePages(t, 256)) return;
    const rules = childRules('test', Object.keys(EXPECTED), 'segments');
    const timing = ['--interval', '1s', '--cache-ttl', '0s'];
    const exporter = await startExporter(t, {
      args: [...timing, '--smaps', mode, '--smaps-budget', '100%', '--process-kinds', '--subgroups', rules],
    });
    const children = new Started(t, [childProgram('segments'), '256']);
    const pids = (await children.line('ready')).map(Number);
    assert.equal(pids.length, 4);
    await eventually(
      async () => {
        const seen = await exporter.scrape();
        near(hugePagesInUse(), 2 * SEGMENT, 0.02 * SEGMENT, 'as the kernel has it');
        for (const [index, [subgroup, bytes]] of Object.entries(EXPECTED).entries()) {
          const labels = { group: 'test', subgroup, kind: 'hugetlb' };
          near(seen.value('herakles_mem_group_kind_bytes', labels), bytes, 0.02 * bytes, subgroup);
          const process = { pid: pids[index]!, kind: 'hugetlb' };
          near(seen.value('herakles_mem_process_kind_bytes', process), bytes, 0.02 * bytes, `process of ${subgroup}`);
        }
        assert.equal(
          seen.sum('herakles_mem_group_kind_bytes', { kind: 'hugetlb' }),
          hugePagesInUse(),
          'once on the host',
        );
      },
      300_000, // `bounded` reads every other process of the machine first
      300,
    );
  });
}
