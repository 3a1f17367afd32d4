// /api/v1/groups
import type { Snapshot } from '../../agent/sampler.ts';
import type { ApiRequest } from './answer.ts';
import { bytes, ratio, thousandths, unix } from './known.ts';
import type { DocumentOf } from './schema.ts';

type GroupRow = Snapshot['view']['groups'][number];
type GroupEntry = DocumentOf<'groups'>['groups'][number];

export function groupsDocument({ snapshot }: ApiRequest): DocumentOf<'groups'> {
  const { groups, host } = snapshot.view;
  const shown = groups.filter((row) => row.processes > 0 || row.counters.declared);
  const sorted = shown.sort((a, b) => b.footprint - a.footprint);
  const entries = sorted.map((row) => groupEntry(row, host.memory.total));
  return { at: unix(snapshot.time), snapshot: snapshot.serial, groups: entries };
}

function groupEntry(row: GroupRow, total: number): GroupEntry {
  const { group, subgroup, declared } = row.counters;
  const [anonymous, file, shared, hugetlb, pageTables, kernelStacks] = row.kinds as unknown as number[];
  return {
    group,
    subgroup,
    declared,
    processes: row.processes,
    threads: row.threads,
    footprint_bytes: Math.round(row.footprint),
    host_ratio: ratio(row.footprint / total),
    kinds: {
      anonymous: bytes(anonymous!),
      file: bytes(file!),
      shared: bytes(shared!),
      hugetlb: bytes(hugetlb!),
      page_tables: bytes(pageTables!),
      kernel_stacks: bytes(kernelStacks!),
    },
    pss_bytes: bytes(row.pss),
    uss_bytes: bytes(row.uss),
    rss_bytes: Math.round(row.rss),
    swap_bytes: bytes(row.swap),
    cpu_percent: thousandths(row.usage),
    coverage_ratio: ratio(row.coverage),
  };
}
