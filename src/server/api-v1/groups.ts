// /api/v1/groups
import type { Agent } from '../../agent/agent.ts';
import type { Snapshot } from '../../agent/sampler.ts';
import type { ApiRequest } from './answer.ts';
import { bytes, ratio, thousandths, unix } from './known.ts';
import type { GroupEntry, GroupsDocument } from './schema.ts';

type GroupRow = Snapshot['view']['groups'][number];

type History = NonNullable<Agent['history']>;

export function groupsDocument({ agent: { history }, snapshot }: ApiRequest): GroupsDocument {
  const { groups, host, oomKills } = snapshot.view;
  const shown = groups.filter((row) => row.processes > 0 || row.counters.declared);
  const sorted = shown.sort((a, b) => b.footprint - a.footprint);
  const points = history?.points() ?? [];
  const entries = sorted.map((row) => ({
    ...groupEntry(row, host.memory.total),
    oom_kills: oomKills === 'counted' ? row.counters.oomKills : undefined,
    ...(history && changeOf(row, history, points, snapshot.time)),
  }));
  return { at: unix(snapshot.time), snapshot: snapshot.serial, groups: entries };
}

/** Since the oldest point at which its footprint is known. @param time of the snapshot, Unix time */
function changeOf({ counters, footprint }: GroupRow, history: History, points: readonly number[], time: number) {
  const series = history.groups.find(counters.group, counters.subgroup);
  if (!series || series.place < 0) return undefined;
  const oldest = points.find((point) => !Number.isNaN(history.groups.footprint(series, point)));
  if (oldest === undefined) return undefined;
  return {
    change_bytes: Math.round(footprint - history.groups.footprint(series, oldest)),
    change_seconds: unix(Math.max(0, time - history.time(oldest))),
  };
}

function groupEntry(row: GroupRow, total: number): GroupEntry {
  const { group, subgroup, declared } = row.counters;
  return {
    group,
    subgroup,
    declared,
    processes: row.processes,
    threads: row.threads,
    footprint_bytes: Math.round(row.footprint),
    host_ratio: ratio(row.footprint / total),
    kinds: {
      anonymous: bytes(row.kind('anonymous')),
      file: bytes(row.kind('file')),
      shared: bytes(row.kind('shared')),
      hugetlb: bytes(row.kind('hugetlb')),
      page_tables: bytes(row.kind('page_tables')),
      kernel_stacks: bytes(row.kind('kernel_stacks')),
    },
    pss_bytes: bytes(row.pss),
    uss_bytes: bytes(row.uss),
    rss_bytes: Math.round(row.rss),
    swap_bytes: bytes(row.swap),
    cpu_percent: thousandths(row.usage),
    coverage_ratio: ratio(row.coverage),
    estimated: row.estimated || undefined,
  };
}
