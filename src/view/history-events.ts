// What happened, packed: two rings, so that births and exits, of which a host can have many, never displace what is rare.
// Births and exits of a subgroup are one event for each point of the history, with their number.

export const EVENT_KINDS = ['start', 'exit', 'oom_kill', 'restart', 'exporter_start', 'reload'] as const;
export type EventKind = (typeof EVENT_KINDS)[number];

/** The subgroup that it happened to. */
export interface EventNames {
  readonly group: string;
  readonly subgroup: string;
}

export interface HistoryEvent {
  /** Unix time, seconds. */
  readonly at: number;
  readonly kind: EventKind;
  readonly names: EventNames | undefined;
  /** Processes; faults of a reload. */
  readonly count: number;
}

const FREQUENT: readonly EventKind[] = ['start', 'exit'];
const FREQUENT_MAX = 2048;
const RARE_MAX = 256;

class Ring {
  readonly at: Float64Array;
  readonly kinds: Uint8Array;
  readonly counts: Uint32Array;
  readonly names: (EventNames | undefined)[] = [];
  readonly #size: number;
  /** Events so far. */
  #added = 0;

  constructor(size: number) {
    this.#size = size;
    this.at = new Float64Array(size);
    this.kinds = new Uint8Array(size);
    this.counts = new Uint32Array(size);
  }

  add(kind: EventKind, at: number, count: number, names: EventNames | undefined): void {
    const place = this.#added++ % this.#size;
    this.at[place] = at;
    this.kinds[place] = EVENT_KINDS.indexOf(kind);
    this.counts[place] = count;
    this.names[place] = names;
  }

  *since(time: number): Generator<HistoryEvent> {
    for (let index = Math.max(0, this.#added - this.#size); index < this.#added; index++) {
      const place = index % this.#size;
      if (this.at[place]! < time) continue;
      const [at, kind] = [this.at[place]!, EVENT_KINDS[this.kinds[place]!]!];
      yield { at, kind, names: this.names[place], count: this.counts[place]! };
    }
  }
}

export class HistoryEvents {
  readonly #frequent = new Ring(FREQUENT_MAX);
  readonly #rare = new Ring(RARE_MAX);

  /** Memory of the numbers, bytes. */
  get byteLength(): number {
    const rings = [this.#frequent, this.#rare];
    return rings.reduce((sum, { at, kinds, counts }) => sum + at.byteLength + kinds.byteLength + counts.byteLength, 0);
  }

  add(kind: EventKind, at: number, count = 0, names?: EventNames): void {
    (FREQUENT.includes(kind) ? this.#frequent : this.#rare).add(kind, at, count, names);
  }

  /** Those from a time on, the oldest first. @param time Unix time, seconds */
  since(time: number): HistoryEvent[] {
    return [...this.#frequent.since(time), ...this.#rare.since(time)].sort((a, b) => a.at - b.at);
  }

  /** The clock of the host was set: what is known keeps its distance from now. @param seconds by which it went forward */
  shift(seconds: number): void {
    for (const { at } of [this.#frequent, this.#rare])
      for (let place = 0; place < at.length; place++) at[place]! += seconds;
  }
}
