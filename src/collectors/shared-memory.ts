// Collector "shared_memory": memory that stays when no process has it mapped, so that no process shows it: files of tmpfs by
// mount point, and segments of System V by the group of the process that made them.
import { distinctLabelValue, gauge, labelText } from '../exposition/metric.ts';
import { type KernelFiles, unlessUnreadable } from '../kernel/files.ts';
import { readSysvSegments, readTmpfs, type SysvSegment, type TmpfsReading } from '../kernel/shared-memory.ts';
import type { ProcessRows } from '../view/process-rows.ts';
import type { ProcessView } from '../view/view.ts';
import type { Collector } from './collector.ts';
import { GROUP } from './group.ts';

export const tmpfsBytes = gauge(
  'herakles_mem_tmpfs_bytes',
  'What the files of each tmpfs occupy in memory and in swap, as the first process of the host sees its mounts; beyond the 64 largest together as (rest).',
  ['mountpoint'],
);
export const sysvBytes = gauge(
  'herakles_mem_sysv_bytes',
  'Resident memory of shared memory segments of System V, by the group of the process that made them, and whether any process has them attached; without group where that process has ended.',
  [...GROUP, 'attached'],
);

/** Mount points that have series of their own. */
const MOUNT_POINTS_MAX = 64;
const REST = '(rest)';
/** Seconds: times of segments are whole seconds, and the clock is corrected now and then. */
const CLOCK_SLACK = 2;

/** Undefined: cannot be read. */
interface SharedMemoryReading {
  readonly tmpfs: readonly TmpfsReading[] | undefined;
  readonly segments: readonly SysvSegment[] | undefined;
}

export const sharedMemoryCollector: Collector<ProcessView, SharedMemoryReading> = {
  name: 'shared_memory',
  help: 'Memory that no process has to have mapped: what each tmpfs holds, and shared memory segments of System V. Off by default.',
  families: [tmpfsBytes, sysvBytes],
  series: () => ({ group: 2, other: MOUNT_POINTS_MAX + 3 }),
  read: (files: KernelFiles) => ({
    tmpfs: unlessUnreadable(() => readTmpfs(files)),
    segments: unlessUnreadable(() => readSysvSegments(files)),
  }),
  *collect({ rows, readings }, _enabled, out) {
    const { tmpfs, segments } = readings.of(sharedMemoryCollector) ?? {};
    out.family(tmpfsBytes);
    for (const [mountpoint, bytes] of largest(tmpfs ?? [])) out.sample(labelText(tmpfsBytes, { mountpoint }), bytes);
    yield;
    out.family(sysvBytes);
    for (const [labels, bytes] of sumsOf(segments ?? [], rows)) out.sample(labels, bytes);
  },
};

/** Bytes by label value: the largest, then the sum of the others. */
function largest(tmpfs: readonly TmpfsReading[]): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  const ordered = [...tmpfs].sort((a, b) => b.bytes - a.bytes);
  for (const [index, { mountPoint, bytes }] of ordered.entries()) {
    const label = index < MOUNT_POINTS_MAX ? distinctLabelValue(mountPoint) : REST;
    sums.set(label, (sums.get(label) ?? 0) + bytes);
  }
  return sums;
}

/** Bytes by label text. */
function sumsOf(segments: readonly SysvSegment[], rows: ProcessRows): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  if (segments.length === 0) return sums;
  const creators = new Map<number, ProcessRows['description'][number]>();
  for (let row = 0; row < rows.length; row++) creators.set(rows.description[row]!.pid, rows.description[row]!);
  for (const { creator, changed, attached, bytes } of segments) {
    const found = creators.get(creator);
    // A process that began after the segment was made has the pid of another one that made it.
    const { group, subgroup } = found && found.startTime <= changed + CLOCK_SLACK ? found : { group: '', subgroup: '' };
    const labels = labelText(sysvBytes, { group, subgroup, attached: String(attached) });
    sums.set(labels, (sums.get(labels) ?? 0) + bytes);
  }
  return sums;
}
