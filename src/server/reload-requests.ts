// Reloads that clients ask for. A reload reads and parses every file, and with a faulty file it can be asked for without
// end. So reloads over HTTP leave time for everything else: the next one begins a second after the last one has ended, or
// later, so that reloading takes a tenth of the time at most. All requests that come meanwhile share it.
import { setTimeout as pause } from 'node:timers/promises';
import type { Reload } from '../agent/agent.ts';
import { clock } from '../agent/time-slices.ts';

/** Requests that may wait for the same reload. A request that waits counts as a request in flight. */
const WAITING_MAX = 4;
const GAP_MIN_SECONDS = 1;
const GAP_MAX_SECONDS = 60;
/** The gap after a reload, in durations of it. */
const GAP_DURATIONS = 9;

export class ReloadRequests {
  readonly #reload: () => Promise<Reload>;
  readonly #pause: (ms: number) => Promise<unknown>;
  /** The reload that has not begun yet. */
  #next: Promise<Reload> | undefined;
  #waiting = 0;
  #last: Promise<unknown> = Promise.resolve();
  /** When the next one may begin, seconds on the clock of time-slices.ts. */
  #allowedAt = Number.NEGATIVE_INFINITY;

  /** @param wait waits for a number of milliseconds; in tests it returns at once */
  constructor(reload: () => Promise<Reload>, wait: (ms: number) => Promise<unknown> = pause) {
    this.#reload = reload;
    this.#pause = wait;
  }

  /** The result of the next reload; undefined where too many requests wait for it already. */
  request(): Promise<Reload> | undefined {
    if (this.#waiting >= WAITING_MAX) return undefined;
    this.#waiting++;
    this.#next ??= this.#begin();
    return this.#next;
  }

  async #begin(): Promise<Reload> {
    await this.#last;
    await this.#pause(Math.max(0, this.#allowedAt - clock()) * 1000);
    this.#next = undefined;
    this.#waiting = 0;
    const began = clock();
    const running = this.#reload();
    this.#last = running
      .catch(() => {})
      .finally(() => {
        const gap = Math.min(GAP_MAX_SECONDS, Math.max(GAP_MIN_SECONDS, GAP_DURATIONS * (clock() - began)));
        this.#allowedAt = clock() + gap;
      });
    return running;
  }
}
