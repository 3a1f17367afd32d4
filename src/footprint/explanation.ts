// Explains the footprint of one process: how old its measurement is, where the exported value comes from, and why it
// was or was not read at the last collection. For one process at a time, on demand; decides nothing itself.

import type { Process, ReadReason } from '../process/process.ts';
import type { FootprintOptions } from './options.ts';
import { movedByItself, movedByRelatives, secondsUntilDue, thresholdOf } from './read-need.ts';
import type { FootprintScheduler } from './scheduler.ts';

/**
 * off: smaps is off. nothing: no memory of its own is known (kernel thread, zombie, or its statm cannot be read).
 * read: at the last collection. reading: by itself, or waits for that. waiting: for budget. unreadable: the
 * last attempt failed. large: predicted over `maxRead`, so only age counts. confirmed: it was due by age since, and idle
 * processes of its executable were read in its place (idle-samples.ts). unchanged: too little has moved.
 */
export type FootprintState =
  | 'off'
  | 'nothing'
  | 'read'
  | 'reading'
  | 'waiting'
  | 'unreadable'
  | 'large'
  | 'confirmed'
  | 'unchanged';

export interface FootprintExplanation {
  readonly state: FootprintState;
  /** Why it was read, where the state is read; why it should be read, where the state is reading or waiting. */
  readonly need: ReadReason | undefined;
  /** Why it is unreadable: an UnreadableReason. */
  readonly failure: string | undefined;
  /** What is exported: the measurement as it was read, scaled with the RSS since, or nothing. */
  readonly source: 'read' | 'estimated' | 'none';
  /** Age of the measurement at the last collection, seconds; NaN where there is none. */
  readonly age: number;
  /** Seconds since it was read, or confirmed by reads of others; NaN where there is none. */
  readonly confirmedAge: number;
  /** What a read would take, seconds, and whether that is over `maxRead`. */
  readonly predicted: number;
  readonly overMaxRead: boolean;
  /** Bytes that may have moved since the measurement, by itself and by relatives, and how many make a read due. */
  readonly moved: number;
  readonly movedByRelatives: number;
  readonly threshold: number;
  /** Seconds from the last collection until age alone makes a read due. */
  readonly untilDue: number;
}

/** @param at kernel time of the last collection, seconds since boot */
export function explainFootprint(
  scheduler: FootprintScheduler,
  proc: Process,
  options: FootprintOptions,
  at: number,
): FootprintExplanation {
  const { measurement, pid } = proc;
  const { rss } = proc.memory;
  const measured = measurement.at >= 0;
  const predicted = rss > 0 ? scheduler.predict(proc) : Number.NaN;
  const overMaxRead = predicted > options.maxRead;
  const state = stateOf(proc, options, overMaxRead, at);
  const wanted = state === 'reading' || state === 'waiting' ? (measurement.wanted ?? 'first') : undefined;
  return {
    state,
    need: state === 'read' ? measurement.reason : wanted,
    failure: proc.unreadable.reasons?.get('smaps_rollup'),
    source: Number.isNaN(proc.footprint.pss) ? 'none' : measurement.rss === rss ? 'read' : 'estimated',
    age: measured ? Math.max(0, at - measurement.at) : Number.NaN,
    confirmedAge: measured ? Math.max(0, at - measurement.confirmed) : Number.NaN,
    predicted,
    overMaxRead,
    moved: measured ? movedByItself(proc) : Number.NaN,
    movedByRelatives: measured ? movedByRelatives(proc) : Number.NaN,
    threshold: measured ? thresholdOf(proc) : Number.NaN,
    untilDue: secondsUntilDue(pid, at, options.maxAge),
  };
}

function stateOf(proc: Process, { mode, guest }: FootprintOptions, overMaxRead: boolean, at: number): FootprintState {
  const { measurement } = proc;
  if (mode === 'off') return 'off';
  if (measurement.queued) return 'reading';
  if (proc.stat.absent || !(proc.memory.rss > 0)) return 'nothing';
  if (measurement.at >= at) return 'read';
  if (measurement.wanted) return 'waiting';
  if (measurement.at < 0 && proc.unreadable.reasons?.has('smaps_rollup')) return 'unreadable';
  if (measurement.at < 0) return guest && overMaxRead ? 'large' : 'waiting';
  if (mode === 'bounded' && overMaxRead) return 'large';
  return measurement.confirmed > measurement.at ? 'confirmed' : 'unchanged';
}
