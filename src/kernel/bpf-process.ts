// One process as bpf-files.ts gives it: stat, statm and io from the record of the last pass where there is one that surely
// belongs to it, everything else from /proc. Its first stat is text, which says when it began: a record of another start is
// of another process. After an exec stat is read as text again, because only the text may tell the new stack.
import type { ProcessFile, ProcessFiles } from './files.ts';
import { type IoReading, parseStat, type StatmReading, StatReading, type Units } from './pid.ts';
import { CpuDivision, fillIo, fillStat, fillStatm, isSameTask, rssPages, startTicksOf } from './task-readings.ts';
import { hasIo, isExact, TASK, type TaskPass } from './task-records.ts';

/** The passes, shared by all processes. */
export interface Passes {
  readonly units: Units;
  /** The last pass, and the one before it; each empty where there was none. */
  readonly now: TaskPass;
  readonly before: TaskPass;
  /** The number of the last pass. */
  readonly number: number;
  /** Whether the last pass may be used. */
  readonly used: boolean;
  /** Gets the bytes of a name, and is then the buffer of the files. */
  commBuffer(): Uint8Array;
  /** The bytes that the file which was read last from /proc gave. */
  textBuffer(): Uint8Array;
}

const NONE = -1;
/** Of resident pages: file, anonymous, swapped, shared. */
const KINDS = 4;
const reading = new StatReading();

export class BpfProcess implements ProcessFiles {
  readonly pid: number;
  readonly files: ProcessFiles;
  readonly #passes: Passes;
  /** Made with the first record: without the BPF program it would be memory for nothing. */
  #division: CpuDivision | undefined;
  /** In clock ticks; NONE until stat was read. */
  #startTicks = NONE;
  /** Of the record that was seen last; NONE before. */
  #execs = NONE;
  /** The pass that was looked at last, and where the record stands there; NONE where it has none that can be used. */
  #pass = 0;
  #place = NONE;
  /** Where its record stood when it was found last. */
  #hint = 0;
  /** Whether the record says what that of the pass before said. */
  #same = false;
  /** The passes of which stat and io were taken last. */
  #statPass = 0;
  #ioPass = 0;
  /** Resident pages by kind when statm was taken last; undefined before. */
  #rss: number[] | undefined;
  /** The pass in which statm was left out, because memory did not move. */
  #stillPass = 0;
  #leaderEnded = false;
  /** Whether descriptors of /proc may be open. */
  #opened = false;

  constructor(files: ProcessFiles, passes: Passes) {
    this.pid = files.pid;
    this.files = files;
    this.#passes = passes;
  }

  get execs(): number {
    return this.#execs + 1;
  }

  get readSeconds(): number | undefined {
    return this.files.readSeconds;
  }

  /** Whether the record has what the file says, so that it need not be read. */
  has(file: string): boolean {
    this.#find();
    if (this.#place === NONE) return false;
    const flags = this.#passes.now.values[this.#place + TASK.flags]!;
    if (file === 'statm') return isExact(flags) && !this.#leaderEnded;
    return file === 'stat' || (file === 'io' && hasIo(flags));
  }

  /** Whether statm may say something new, where the record does not have it: faults, resident pages or CPU ticks moved. */
  mayHaveMovedMemory(): boolean {
    if (this.#place === NONE || this.#statPass !== this.#passes.number - 1) return true;
    const { now, before, units } = this.#passes;
    const from = before.find(this.pid, this.#hint);
    if (from < 0) return true;
    const ticks = (values: Float64Array, place: number): number =>
      Math.floor((values[place + TASK.runtime]! * units.ticksPerSecond) / 1e9);
    const at = this.#place;
    return (
      rssPages(now.values, at) !== rssPages(before.values, from) ||
      now.values[at + TASK.minorFaults] !== before.values[from + TASK.minorFaults] ||
      now.values[at + TASK.majorFaults] !== before.values[from + TASK.majorFaults] ||
      ticks(now.values, at) !== ticks(before.values, from)
    );
  }

  /** statm is not requested in this pass: who reads it gets what it said last. */
  keepsMemory(): void {
    this.#stillPass = this.#passes.number;
  }

  /** Its next files come from /proc. */
  opens(): void {
    this.#opened = true;
  }

  unchanged(file: 'stat' | 'statm' | 'io'): boolean {
    if (!this.has(file)) {
      const isStill = file === 'statm' && this.#place !== NONE && this.#stillPass === this.#passes.number;
      return isStill || this.files.unchanged(file);
    }
    const last = this.#passes.number - 1;
    if (file === 'stat') return this.#same && this.#statPass === last && this.#takeStat();
    if (file === 'statm') return this.#isStatmTaken();
    return this.#same && this.#ioPass === last && this.#takeIo();
  }

  fillStat(units: Units, out: StatReading): boolean {
    if (!this.has('stat')) return false;
    const { values } = this.#passes.now;
    fillStat(values, this.#place, units, this.#passes.commBuffer(), out);
    this.#division ??= new CpuDivision();
    this.#division.divide(values, this.#place, out);
    return this.#takeStat();
  }

  fillStatm(units: Units, out: StatmReading): boolean {
    if (!this.has('statm')) return false;
    const { values } = this.#passes.now;
    fillStatm(values, this.#place, units, out);
    this.#rss ??= [Number.NaN, Number.NaN, Number.NaN, Number.NaN];
    for (let kind = 0; kind < KINDS; kind++) this.#rss[kind] = values[this.#place + TASK.fileRss + kind]!;
    return true;
  }

  fillIo(out: IoReading): boolean {
    if (!this.has('io')) return false;
    fillIo(this.#passes.now.values, this.#place, out);
    return this.#takeIo();
  }

  read(file: ProcessFile): number {
    this.#passes.textBuffer();
    const length = this.files.read(file);
    if (file === 'stat' && this.#startTicks === NONE) this.#takeStart(length);
    return length;
  }

  readLater(file: ProcessFile, seconds?: number): Promise<Uint8Array> {
    return this.files.readLater(file, seconds);
  }

  exe(): string {
    return this.files.exe();
  }

  leaderEnded(ended: boolean): void {
    this.#leaderEnded = ended;
    this.files.leaderEnded?.(ended);
  }

  close(): void {
    this.files.close();
  }

  #takeStart(length: number): void {
    const { units } = this.#passes;
    if (!parseStat(this.#passes.textBuffer(), length, units, reading)) return;
    this.#startTicks = reading.startTicks;
    this.#pass = 0; // the record can be told now
    this.#find();
  }

  #takeStat(): true {
    this.#statPass = this.#passes.number;
    return true;
  }

  /** statm is not taken at each pass: it is compared with what it was when it was taken, however long ago. */
  #isStatmTaken(): boolean {
    if (this.#rss === undefined) return false;
    const { values } = this.#passes.now;
    for (let kind = 0; kind < KINDS; kind++)
      if (values[this.#place + TASK.fileRss + kind] !== this.#rss[kind]) return false;
    return true;
  }

  #takeIo(): true {
    this.#ioPass = this.#passes.number;
    return true;
  }

  /** Looks for its record in the last pass, once. */
  #find(): void {
    const { now, before, number, used, units } = this.#passes;
    if (!used) {
      this.#place = NONE;
      return;
    }
    if (this.#pass === number) return;
    const known = this.#place !== NONE && this.#pass === number - 1;
    const from = this.#place;
    this.#pass = number;
    this.#place = NONE;
    if (this.#startTicks === NONE) return;
    const place = now.find(this.pid, this.#hint);
    if (place < 0 || startTicksOf(now.values, place, units) !== this.#startTicks) return;
    this.#hint = place;
    const execs = now.values[place + TASK.execs]!;
    const executed = this.#execs !== NONE && execs !== this.#execs;
    this.#execs = execs;
    if (executed) return; // its new stack stands in the text
    this.#place = place;
    this.#same = known && isSameTask(before.values, from, now.values, place);
    if (this.#opened) {
      this.#opened = false;
      this.files.close();
    }
  }
}
