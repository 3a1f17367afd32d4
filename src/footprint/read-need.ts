// How much a footprint may have changed since it was measured, and when its age alone is a reason to measure it again.
//
// Nothing tells that PSS changed but a new measurement. What can be known is activity: pages that a process touched or gave
// back (page-sharing.ts). A change counts from a threshold on, which grows with the footprint, so that a read is
// spent where it corrects most.

import type { Process } from '../process/process.ts';

/** A read is due when activity may have changed the footprint by this share of it, or by these bytes, whichever is more. */
const THRESHOLD_SHARE = 0.004;
const THRESHOLD_BYTES = 32 << 10;

/** Bytes that must have moved since the measurement for a read to be due. */
export const thresholdOf = ({ measurement }: Process): number =>
  Math.max(THRESHOLD_BYTES, measurement.pss * THRESHOLD_SHARE);

/** Bytes that the process touched or gave back since the measurement. */
export const movedByItself = ({ sharing, measurement }: Process): number => sharing.activity - measurement.activity;

/** Huge pages, its own and shared ones, at the measurement. */
export const hugePagesOf = ({ hugetlb, sharedHugetlb }: Process['measurement']): number => hugetlb + sharedHugetlb;

/** Whether status says another number of huge pages since: no page fault and no RSS tells how many they are. */
export const hugePagesMoved = ({ footprint, measurement }: Process): boolean =>
  footprint.hugetlb >= 0 && footprint.hugetlb !== hugePagesOf(measurement);

/** Bytes by which processes that share pages with it may have changed its footprint since the measurement. */
export function movedByRelatives(proc: Process): number {
  const { measurement, sharing } = proc;
  const { sharers } = sharing;
  const bySharers = Math.max(0, sharers.activity - measurement.sharersActivity - movedByItself(proc));
  const perSharer = bySharers / Math.max(1, sharers.members - 1);
  // With parents and children of another executable a process shares only memory that is meant to be shared, and pages
  // of libraries, which stay.
  const byRelatives = measurement.shmem > 0 ? Math.abs(relativesActivity(proc) - measurement.relativesActivity) : 0;
  const membersChanged =
    Math.abs(sharers.members - measurement.sharersMembers) / Math.max(sharers.members, measurement.sharersMembers);
  const shared = measurement.rss - measurement.uss;
  return Math.min(perSharer + byRelatives, shared) + shared * membersChanged;
}

/** Bytes that its parent and its children of other executables touched so far. Another parent than before counts as a change. */
export const relativesActivity = ({ sharing: { parent, childrenActivity } }: Process): number =>
  (parent?.sharing.activity ?? 0) + childrenActivity;

/**
 * Whether a process is due by age: once in every period of `maxAge` seconds, at a moment that its pid chooses, so that
 * reads by age are spread evenly over all collections.
 * @param since kernel time of the last reading, seconds since boot
 */
export const isDueByAge = (pid: number, since: number, at: number, maxAge: number): boolean =>
  periodOf(pid, at, maxAge) > periodOf(pid, since, maxAge);

/** Seconds until a process is due by age. */
export const secondsUntilDue = (pid: number, at: number, maxAge: number): number =>
  (periodOf(pid, at, maxAge) + 1 - phase(pid)) * maxAge - at;

/** Number of the period in which a moment lies; the periods of each pid begin at another moment. */
const periodOf = (pid: number, at: number, maxAge: number): number => Math.floor(at / maxAge + phase(pid));

/** A share of a period. Multiples of the golden ratio are spread evenly, also for pids that follow each other. */
const phase = (pid: number): number => (pid * 0.6180339887) % 1;
