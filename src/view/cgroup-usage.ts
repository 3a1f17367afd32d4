// The memory that the kernel charges to each control group with processes, beside the sums over its processes. A
// cgroup that cannot be read is counted, and the others are read all the same; at most READ_MAX are read.
// Several processes, and several paths, can be charged to one cgroup: with cgroup version 2 the memory of `/a/b` without
// the memory controller is charged to `/a`, so one row `/a` stands for the processes of both.
import { usesSpaceOfParent } from '../footprint/address-space.ts';
import {
  type CgroupMounts,
  type CgroupReading,
  findMemoryCgroup,
  type MemoryCgroup,
  memoryPathOf,
  readCgroupMounts,
  readMemoryCgroup,
} from '../kernel/cgroup.ts';
import { type KernelFiles, reasonOf, type UnreadableReason } from '../kernel/files.ts';
import { type Cgroups, type Placement, parsePath } from '../process/placement.ts';
import type { Process } from '../process/process.ts';

/** Sums over the processes that live in a cgroup, with series of their own or not. */
class Residents {
  readonly members: Process[] = [];
  /** Bytes. */
  rss = 0;
  /** Bytes; NaN unless it is known of every process. */
  pss = 0;

  add(proc: Process): void {
    this.members.push(proc);
    if (!(proc.memory.rss > 0) || usesSpaceOfParent(proc)) return;
    this.rss += proc.memory.rss;
    this.pss += proc.footprint.pss;
  }
}

/** One cgroup: the kernel's numbers for the whole, and the sums over its processes. */
export interface CgroupRow {
  /** As in /proc/<pid>/cgroup: "/system.slice/nginx.service". */
  readonly path: string;
  /** The unit, container and pod that the path names. */
  readonly place: Placement;
  readonly reading: CgroupReading;
  /** Number of processes that live in it, without zombies. */
  readonly processes: number;
  /** Sum over its processes, bytes; NaN unless it is known of every one. */
  readonly pss: number;
  /** Whether it has series; false only where the budget of series is spent. */
  shown: boolean;
}

export interface CgroupView {
  /** Largest resident memory of its processes first. */
  readonly rows: readonly CgroupRow[];
  /** Number of cgroups that have processes and could not be read, by reason. */
  readonly unreadable: ReadonlyMap<UnreadableReason, number>;
  /** Number of cgroups that were not read, because only the largest are. */
  readonly unreadCount: number;
}

/** Cgroups that one collection reads at most: each takes about 0.1 ms. */
const READ_MAX = 1000;
const PROCESSES_PER_STEP = 512;

/** Seconds after which mounts, and the cgroups that memory is charged to, are looked for again. */
const FIND_AGAIN_AFTER = 240;

export class CgroupUsage {
  readonly #files: KernelFiles;
  readonly #describeAgain: (proc: Process) => void;
  /** When they were looked for, seconds since boot; NaN: never. */
  #foundAt = Number.NaN;
  #mounts: CgroupMounts | undefined;
  /** The cgroup that the memory of a path is charged to, as the last collection found it; undefined: the host itself. */
  #chargedTo = new Map<string, MemoryCgroup | undefined>();

  /** @param describeAgain has the cgroups of a process read again at the next pass */
  constructor(files: KernelFiles, describeAgain: (proc: Process) => void) {
    this.#files = files;
    this.#describeAgain = describeAgain;
  }

  /**
   * Reads the cgroups of these processes; yields where it may be interrupted.
   * @param at kernel time of this collection, seconds since boot
   */
  *read(living: readonly Process[], at: number): Generator<void, CgroupView, void> {
    const unreadable = new Map<UnreadableReason, number>();
    const note = (error: unknown): UnreadableReason => {
      const reason = reasonOf(error);
      unreadable.set(reason, (unreadable.get(reason) ?? 0) + 1);
      return reason;
    };
    const byCgroup = yield* this.#find(yield* this.#gather(living, at), note);
    const largestFirst = [...byCgroup.values()].sort((a, b) => b.residents.rss - a.residents.rss);
    const rows: CgroupRow[] = [];
    for (const { cgroup, residents } of largestFirst.slice(0, READ_MAX)) {
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
    return { rows, unreadable, unreadCount: Math.max(0, largestFirst.length - READ_MAX) };
  }

  /** Processes by the path of the cgroup that they are in. */
  *#gather(living: readonly Process[], at: number): Generator<void, Map<string, Residents>, void> {
    // Controllers may be turned on and cgroups mounted at any time.
    if (!(at - this.#foundAt < FIND_AGAIN_AFTER)) {
      this.#foundAt = at;
      this.#mounts = readCgroupMounts(this.#files);
      this.#chargedTo.clear();
    }
    const byPath = new Map<string, Residents>();
    const byText = new Map<Cgroups, Residents>();
    for (let index = 0; index < living.length; index++) {
      if (index % PROCESSES_PER_STEP === PROCESSES_PER_STEP - 1) yield;
      const proc = living[index]!;
      const { cgroups } = proc.membership;
      if (proc.stat.absent || proc.zombie || !cgroups) continue;
      let residents = byText.get(cgroups);
      if (!residents) {
        const path = memoryPathOf(this.#mounts!, cgroups.memberships);
        residents = byPath.get(path) ?? new Residents();
        byPath.set(path, residents);
        byText.set(cgroups, residents);
      }
      residents.add(proc);
    }
    return byPath;
  }

  /** The cgroups that the memory of these paths is charged to; several paths may have the same one. */
  *#find(byPath: ReadonlyMap<string, Residents>, note: (error: unknown) => void) {
    const known = this.#chargedTo;
    this.#chargedTo = new Map();
    const found = new Map<string, { readonly cgroup: MemoryCgroup; readonly residents: Residents }>();
    for (const [path, residents] of byPath) {
      try {
        const cgroup = known.has(path) ? known.get(path) : findMemoryCgroup(this.#files, this.#mounts!, path);
        this.#chargedTo.set(path, cgroup);
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

  /** The cgroup is gone, so its processes are in another one: their identity is read again at the next collection. */
  #moved(cgroup: MemoryCgroup, members: readonly Process[]): void {
    for (const [path, known] of this.#chargedTo) if (known?.path === cgroup.path) this.#chargedTo.delete(path);
    for (const proc of members) this.#describeAgain(proc);
  }
}
