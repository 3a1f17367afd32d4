// What the host looked like within the last hour, or as long as the setting `history` says: footprints by kind and CPU of the
// host and of each subgroup, of the largest processes of each subgroup, and events. It is filled from the view of a
// collection, takes packed numbers of a bounded size (history-store.ts), and allocates nothing while the same subgroups and
// processes live. It is kept over a reload, and gone with the exporter.
//
// POINTS points reach over the whole span, so that a longer span has points further apart and takes no more memory. A point
// counts only when all of it is written: nobody reads half of one.
import { HistoryEvents } from './history-events.ts';
import { GroupHistory } from './history-groups.ts';
import { ProcessHistory } from './history-processes.ts';
import { HistoryStore, POINTS } from './history-store.ts';
import { HOST_KINDS } from './host-books.ts';
import { KINDS, type ProcessView } from './view.ts';

/** Least time between two points, seconds. */
const STEP_MIN = 15;
/** A collection that comes early by so much makes the point that is due, seconds. */
const EARLY_MAX = 0.5;
/** Seconds. If the clock of the host differs by more from the time that passed, somebody set it. */
const CLOCK_MARGIN = 1;

export class History {
  readonly hostKinds = HOST_KINDS;
  readonly groupKinds = KINDS;
  readonly events = new HistoryEvents();
  readonly groups = new GroupHistory();
  readonly processes = new ProcessHistory();
  readonly #host = new HistoryStore(HOST_KINDS.length, 1);
  /** Unix time of each point, seconds. */
  readonly #at = new Float64Array(POINTS);
  /** Points so far; of the last one, the kernel's time, seconds since boot. */
  #count = 0;
  #lastAt = Number.NEGATIVE_INFINITY;
  /** Whether the next point is being written: it takes the place of the oldest one where all places are taken. */
  #writing = false;
  /** Kernel time at which the next point is due. */
  #due = Number.NEGATIVE_INFINITY;
  /** How far back it goes, seconds. */
  span: number;

  constructor(span: number) {
    this.span = span;
    this.#host.take(Number.NaN);
  }

  /** Time between two points, at least; seconds. */
  get step(): number {
    return Math.max(STEP_MIN, this.span / POINTS);
  }

  /** Memory of the numbers, bytes. */
  get byteLength(): number {
    const stores = [this.#host, this.groups.store, this.processes.store];
    return stores.reduce((sum, store) => sum + store.byteLength, this.#at.byteLength + this.events.byteLength);
  }

  /** Adds a point, if one is due; yields where it may be interrupted. @param time of the collection, Unix time */
  *record({ at, groups, rows, books }: ProcessView, time: number): Generator<void, void, void> {
    if (at < this.#due - EARLY_MAX) return;
    this.#followClock(time, at);
    const point = this.#count % POINTS;
    this.#writing = true;
    this.#at[point] = time;
    for (const [index, kind] of HOST_KINDS.entries())
      this.#host.setBytes(0, index, point, books.kinds.get(kind) ?? Number.NaN);
    this.#host.setCpu(0, point, usageOf(groups));
    this.groups.record(groups, point, this.#count === 0, time, this.events);
    yield;
    yield* this.processes.record(rows, point, this.#placeOf, this.groups.store.places);
    this.#count++;
    this.#writing = false;
    this.#lastAt = at;
    const onTime = at - this.#due < this.step;
    this.#due = (onTime ? this.#due : at) + this.step;
  }

  /**
   * The points from one time to another, the oldest first: what the methods below take.
   * @param most about how many at most: of more, each second, third … point, the same ones whenever it is asked
   */
  points(from = 0, to = Number.POSITIVE_INFINITY, most = POINTS): number[] {
    const oldest = Math.max(from, this.time((this.#count - 1) % POINTS) - this.span);
    const found: number[] = [];
    for (let index = Math.max(0, this.#count - POINTS + Number(this.#writing)); index < this.#count; index++) {
      const at = this.#at[index % POINTS]!;
      if (at >= oldest && at <= to) found.push(index);
    }
    const each = Math.ceil(found.length / most);
    return found.filter((index) => index % each === 0 || index === found.at(-1)).map((index) => index % POINTS);
  }

  /** Unix time of a point, seconds. */
  time(point: number): number {
    return this.#at[point]!;
  }

  /** Bytes of a kind of the host's memory. @param kind index in HOST_KINDS */
  hostBytes(kind: number, point: number): number {
    return this.#host.bytes(0, kind, point);
  }

  /** Percent of one core. */
  hostCpu(point: number): number {
    return this.#host.cpu(0, point);
  }

  readonly #placeOf = (group: string, subgroup: string): number => this.groups.find(group, subgroup)?.place ?? -1;

  /** Where the clock was set since the last point, what is known keeps its distance from now. */
  #followClock(time: number, at: number): void {
    if (this.#count === 0) return;
    const set = time - this.#at[(this.#count - 1) % POINTS]! - (at - this.#lastAt);
    if (Math.abs(set) <= CLOCK_MARGIN) return;
    for (let point = 0; point < POINTS; point++) this.#at[point]! += set;
    this.events.shift(set);
  }
}

function usageOf(groups: ProcessView['groups']): number {
  let [sum, isKnown] = [0, false];
  for (const { usage } of groups) {
    if (!(usage >= 0)) continue;
    sum += usage;
    isKnown = true;
  }
  return isKnown ? sum : Number.NaN;
}
