// Collector "descriptors": open file descriptors. A process that has none left can open no file and take no connection, long
// before memory or CPU run out. Off by default, because two more files of each process are read.
import { gauge } from '../exposition/metric.ts';
import type { ProcessView } from '../view/view.ts';
import { type Collector, LINE_REST_BYTES } from './collector.ts';
import { GROUP, groupLabelsOf } from './group.ts';
import { PROCESS, processLabelsOf, writeColumn } from './process.ts';

export const processOpenFds = gauge('herakles_process_open_fds', 'Open file descriptors.', PROCESS);
export const groupMaxFdsRatio = gauge(
  'herakles_group_max_fds_ratio',
  'Open file descriptors as a share of the limit (RLIMIT_NOFILE, the soft one), of the process of the group with the largest share; above 1 where the limit was lowered later.',
  GROUP,
);

/** Processes that are compared before other work may run. */
const STEP = 512;

export const descriptorsCollector: Collector = {
  name: 'descriptors',
  help: 'Open file descriptors of processes, and how near each group is to the limit. It reads two more files of each process.',
  families: [processOpenFds, groupMaxFdsRatio],
  series: () => ({ process: 1, group: 1 }),
  bytes: () => ({
    process: (description) => processOpenFds.name.length + LINE_REST_BYTES + processLabelsOf(description).length,
  }),
  columns: () => ['openFds', 'maxFds'],
  *collect(view, _enabled, out) {
    out.family(processOpenFds);
    yield* writeColumn(view, 'openFds', out);
    out.family(groupMaxFdsRatio);
    const ratios = yield* largestRatios(view);
    for (const row of view.groups)
      if (row.shown)
        out.sample(groupLabelsOf(row), ratios.get(row.counters.group)?.get(row.counters.subgroup) ?? Number.NaN);
  },
};

/** By group and subgroup, over all processes, with series of their own or not. */
function* largestRatios({ rows }: ProcessView): Generator<void, ReadonlyMap<string, ReadonlyMap<string, number>>> {
  const ratios = new Map<string, Map<string, number>>();
  for (let row = 0; row < rows.length; row++) {
    const ratio = Math.round((rows.openFds[row]! / rows.maxFds[row]!) * 1e4) / 1e4;
    if (ratio >= 0 && ratio < Number.POSITIVE_INFINITY) {
      const { group, subgroup } = rows.description[row]!;
      let subgroups = ratios.get(group);
      if (!subgroups) {
        subgroups = new Map();
        ratios.set(group, subgroups);
      }
      if (!(subgroups.get(subgroup)! >= ratio)) subgroups.set(subgroup, ratio);
    }
    if (row % STEP === STEP - 1) yield;
  }
  return ratios;
}
