// How the footprint of one process stands: how old its sample is, where the exported value comes from, and why it was
// or was not read at the last collection. Asked for one process at a time, on demand; decides nothing itself.

import type { Process, ReadReason } from '../process/process.ts';
import { type FootprintOptions, type FootprintScheduler, movedByRelatives, untilTurn, worthOf } from './scheduler.ts';

/**
 * off: smaps is off. nothing: no memory of its own is known (kernel thread, zombie, or its statm cannot be read).
 * read: at the last collection. reading: off the main thread, or waits for that. waiting: for budget. unreadable: the
 * last attempt failed. large: predicted over `maxRead`, so only age counts. unchanged: too little has moved.
 */
export type FootprintState = 'off' | 'nothing' | 'read' | 'reading' | 'waiting' | 'unreadable' | 'large' | 'unchanged';

export interface FootprintExplanation {
  readonly state: FootprintState;
  /** Why it was read, where the state is read; why it should be, where it is reading or waiting. */
  readonly need: ReadReason | undefined;
  /** Why it is unreadable: a Reason of the kernel's files. */
  readonly failure: string | undefined;
  /** What is exported: the sample as it was measured, scaled with the RSS since, or nothing. */
  readonly source: 'read' | 'estimated' | 'none';
  /** Age of the sample at the last collection, seconds; NaN where there is none. */
  readonly age: number;
  /** What a read would take, seconds, and whether that is over `maxRead`. */
  readonly predicted: number;
  readonly overMaxRead: boolean;
  /** Bytes that may have moved since the sample, by itself and by relatives, and how many are worth a read. */
  readonly moved: number;
  readonly movedByRelatives: number;
  readonly worth: number;
  /** Seconds from the last collection until age alone makes it read. */
  readonly nextTurn: number;
}

/** @param at kernel time of the last collection, seconds since boot */
export function explainFootprint(
  footprints: FootprintScheduler,
  proc: Process,
  options: FootprintOptions,
  at: number,
): FootprintExplanation {
  const { measurement: sample, rss, pid } = proc;
  const sampled = sample.at >= 0;
  const predicted = rss > 0 ? footprints.predict(proc) : Number.NaN;
  const overMaxRead = predicted > options.maxRead;
  const state = stateOf(proc, options, overMaxRead, at);
  const read = state === 'read';
  return {
    state,
    need: read ? sample.reason : state === 'reading' || state === 'waiting' ? (proc.wanted ?? 'first') : undefined,
    failure: proc.unreadable?.get('smaps_rollup'),
    source: Number.isNaN(proc.pss) ? 'none' : sample.rss === rss ? 'read' : 'estimated',
    age: sampled ? Math.max(0, at - sample.at) : Number.NaN,
    predicted,
    overMaxRead,
    moved: sampled ? proc.activity - sample.activity : Number.NaN,
    movedByRelatives: sampled ? movedByRelatives(proc) : Number.NaN,
    worth: sampled ? worthOf(proc) : Number.NaN,
    nextTurn: untilTurn(pid, at, options.maxAge),
  };
}

function stateOf(proc: Process, { mode }: FootprintOptions, overMaxRead: boolean, at: number): FootprintState {
  const { measurement: sample } = proc;
  if (mode === 'off') return 'off';
  if (proc.queued) return 'reading';
  if (proc.absent || !(proc.rss > 0)) return 'nothing';
  if (sample.at >= at) return 'read';
  if (proc.wanted) return 'waiting';
  if (sample.at < 0) return proc.unreadable?.has('smaps_rollup') ? 'unreadable' : 'waiting';
  return mode === 'bounded' && overMaxRead ? 'large' : 'unchanged';
}
