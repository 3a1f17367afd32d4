// What the kernel has on account for the control groups in which processes live, beside what those processes add up to.
// A cgroup that cannot be read costs only itself; the number of them is bounded.
import {
  type CgroupMounts,
  type CgroupReading,
  findMemoryCgroup,
  type MemoryCgroup,
  memoryPathOf,
  readCgroupMounts,
  readMemoryCgroup,
} from '../kernel/cgroup.ts';
import { KernelFileError, type KernelFiles, type UnreadableReason } from '../kernel/files.ts';
import { type Cgroups, type Placement, parsePath } from '../process/placement.ts';
import type { Process } from '../process/process.ts';

/** What the processes that live in a cgroup add up to, whatever is shown of them. */
class Residents {
  readonly members: Process[] = [];
  rss = 0;
  /** Bytes; NaN unless it is known of all of them. */
  pss = 0;

  add(proc: Process): void {
    this.members.push(proc);
    if (!(proc.memory.rss > 0)) return;
    this.rss += proc.memory.rss;
    this.pss += proc.footprint.pss;
  }
}

/** One cgroup: the kernel's view from above, and ours from below. */
export interface CgroupRow {
  readonly path: string;
  readonly place: Placement;
  readonly reading: CgroupReading;
  readonly processes: number;
  /** Bytes; NaN unless it is known of all its processes. */
  readonly pss: number;
  /** Whether it has series; false only where the budget of series is spent. */
  shown: boolean;
}

export interface CgroupView {
  /** Those with the largest resident memory first. */
  readonly rows: readonly CgroupRow[];
  /** Cgroups in which processes live and that gave no value. */
  readonly unreadable: ReadonlyMap<UnreadableReason, number>;
  /** Cgroups beyond the number that is read. */
  readonly left: number;
}

/** Most cgroups that are read at a collection: each costs some 0.1 ms. */
const MOST_READ = 1000;
const PROCESSES_PER_STEP = 512;

export class CgroupUsage {
  readonly #files: KernelFiles;
  readonly #describeAgain: (proc: Process) => void;
  #mounts: CgroupMounts | undefined;
  /** Which cgroup answers for the memory of those in a path; undefined: the host itself. Of the last collection. */
  #answering = new Map<string, MemoryCgroup | undefined>();

  /** @param describeAgain has the cgroups of a process read again at the next pass */
  constructor(files: KernelFiles, describeAgain: (proc: Process) => void) {
    this.#files = files;
    this.#describeAgain = describeAgain;
  }

  /** Reads the cgroups of these processes; yields where it may be interrupted. */
  *read(living: readonly Process[]): Generator<void, CgroupView, void> {
    const unreadable = new Map<UnreadableReason, number>();
    const note = (error: unknown): UnreadableReason => {
      if (!(error instanceof KernelFileError)) throw error;
      unreadable.set(error.reason, (unreadable.get(error.reason) ?? 0) + 1);
      return error.reason;
    };
    const byCgroup = yield* this.#find(yield* this.#gather(living), note);
    const largestFirst = [...byCgroup.values()].sort((a, b) => b.residents.rss - a.residents.rss);
    const rows: CgroupRow[] = [];
    for (const { cgroup, residents } of largestFirst.slice(0, MOST_READ)) {
      const { members, pss } = residents;
      try {
        const reading = readMemoryCgroup(this.#files, cgroup);
        const { path } = cgroup;
        rows.push({ path, place: parsePath(path), reading, processes: members.length, pss, shown: true });
      } catch (error) {
        if (note(error) === 'gone') this.#moved(cgroup, members);
      }
      yield;
    }
    return { rows, unreadable, left: Math.max(0, largestFirst.length - MOST_READ) };
  }

  /** Processes by the path that their memory is charged to, as they are known to be. */
  *#gather(living: readonly Process[]): Generator<void, Map<string, Residents>, void> {
    this.#mounts ??= readCgroupMounts(this.#files);
    const byPath = new Map<string, Residents>();
    const byText = new Map<Cgroups, Residents>();
    for (let index = 0; index < living.length; index++) {
      if (index % PROCESSES_PER_STEP === PROCESSES_PER_STEP - 1) yield;
      const proc = living[index]!;
      const { cgroups } = proc.membership;
      if (proc.stat.absent || proc.zombie || !cgroups) continue;
      let residents = byText.get(cgroups);
      if (!residents) {
        const path = memoryPathOf(this.#mounts, cgroups.memberships);
        residents = byPath.get(path) ?? new Residents();
        byPath.set(path, residents);
        byText.set(cgroups, residents);
      }
      residents.add(proc);
    }
    return byPath;
  }

  /** The cgroups that answer for these paths; several paths may share one. */
  *#find(byPath: ReadonlyMap<string, Residents>, note: (error: unknown) => void) {
    const known = this.#answering;
    this.#answering = new Map();
    const found = new Map<string, { readonly cgroup: MemoryCgroup; readonly residents: Residents }>();
    for (const [path, residents] of byPath) {
      try {
        const cgroup = known.has(path) ? known.get(path) : findMemoryCgroup(this.#files, this.#mounts!, path);
        this.#answering.set(path, cgroup);
        if (!cgroup) continue;
        const before = found.get(cgroup.path);
        if (before) for (const proc of residents.members) before.residents.add(proc);
        else found.set(cgroup.path, { cgroup, residents });
      } catch (error) {
        note(error);
      }
      yield;
    }
    return found;
  }

  /** Its processes are somewhere else by now: where, is found out with the next reading of what they are. */
  #moved(cgroup: MemoryCgroup, members: readonly Process[]): void {
    for (const [path, known] of this.#answering) if (known?.path === cgroup.path) this.#answering.delete(path);
    for (const proc of members) this.#describeAgain(proc);
  }
}
