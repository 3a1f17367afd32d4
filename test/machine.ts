// A machine in memory. Its processes fork, burn CPU, exec, exit and are reaped by Linux's rules, and it keeps the true
// sums, with which tests compare the program's. It is read through KernelFiles; `beforeStat` lets things happen in the
// middle of a pass.
import {
  KernelFileError,
  type KernelFiles,
  type PidList,
  type ProcessFile,
  type ProcessFiles,
} from '../src/kernel/files.ts';
import { hostEntries, type Memory, type ProcessText, processEntry, uptimeText } from './kernel-text.ts';

/** CPU in ticks, storage in bytes. */
export interface Spent {
  user: number;
  system: number;
  read: number;
  write: number;
}

const nothing = (): Spent => ({ user: 0, system: 0, read: 0, write: 0 });

function add(to: Spent, more: Spent): void {
  to.user += more.user;
  to.system += more.system;
  to.read += more.read;
  to.write += more.write;
}

export class Task {
  readonly pid: number;
  readonly startTicks: number;
  parent: Task | undefined;
  comm: string;
  state: 'S' | 'R' | 'D' | 'Z' | 'gone' = 'S';
  /** Inherits the orphans among its descendants, as init does (prctl(2), PR_SET_CHILD_SUBREAPER). */
  subreaper = false;
  /** Ignores SIGCHLD: its children vanish, and their time is credited to no parent (wait(2), NOTES). */
  careless = false;
  startStack = 1;
  /** Its first thread has ended, and another one lives on. */
  leaderEnded = false;
  own = nothing();
  /** Of children that were waited for, and of their own waited-for children. */
  reaped = nothing();
  memory: Memory = {};
  /** What /proc/<pid>/cgroup says. */
  cgroup = '0::/\n';

  constructor(pid: number, startTicks: number, parent: Task | undefined, comm: string) {
    this.pid = pid;
    this.startTicks = startTicks;
    this.parent = parent;
    this.comm = comm;
  }
}

export class Machine implements KernelFiles {
  buffer = new Uint8Array(8192);
  /** Hundredths of a second since boot; a clock tick is one. */
  now = 10_000;
  forks = 0;
  /** What all processes together have really spent. */
  readonly truth = nothing();
  readonly tasks = new Map<number, Task>();
  readonly init: Task;
  /** Called before each reading of a process's stat. */
  beforeStat: () => void = () => {};
  /** The pids cannot be listed while this is set. */
  broken = false;
  /** What `list` found: the task, and its texts as they were then, of itself and of a living thread. */
  #listed: Map<number, { task: Task; texts: [ProcessText, ProcessText] }> | undefined;
  changed: PidList | undefined;
  /** Host facts beside time and forks. */
  readonly #mostPids: number;
  readonly #kept: boolean;
  /** The next process gets the first free pid behind this one. */
  lastPid = 0;

  /**
   * @param mostPids pids wrap around behind this one
   * @param kept descriptors stay bound to their process; otherwise every read goes by pid
   */
  constructor(mostPids = 1000, kept = true) {
    this.#mostPids = mostPids;
    this.#kept = kept;
    this.init = this.#create(undefined, 'init');
  }

  readonly hung: readonly number[] = [];

  async prefetch(): Promise<void> {}

  fork(parent: Task, comm = parent.comm): Task {
    return this.#create(parent, comm);
  }

  #create(parent: Task | undefined, comm: string): Task {
    do this.lastPid = (this.lastPid % this.#mostPids) + 1;
    while (this.tasks.has(this.lastPid));
    const task = new Task(this.lastPid, this.now, parent, comm);
    this.tasks.set(task.pid, task);
    this.forks++;
    return task;
  }

  spend(task: Task, spent: Partial<Spent>): void {
    const more = { ...nothing(), ...spent };
    add(task.own, more);
    add(this.truth, more);
  }

  exec(task: Task, comm: string): void {
    task.comm = comm;
    task.startStack++;
    task.leaderEnded = false; // the thread that executes takes the place of the first one
  }

  exit(task: Task): void {
    if (task === this.init || task.state === 'Z' || task.state === 'gone') return;
    task.state = 'Z';
    const heir = this.#heirOf(task);
    for (const child of this.tasks.values()) {
      if (child.parent !== task) continue;
      child.parent = heir;
      if (child.state === 'Z' && heir.careless) this.#release(child);
    }
    if (task.parent?.careless) this.#release(task);
  }

  /** Waits for all children that have ended. */
  wait(parent: Task): void {
    for (const child of [...this.tasks.values()]) {
      if (child.parent !== parent || child.state !== 'Z') continue;
      add(parent.reaped, child.own);
      add(parent.reaped, child.reaped);
      this.#release(child);
    }
  }

  #heirOf(task: Task): Task {
    for (let heir = task.parent; heir; heir = heir.parent) if (heir.subreaper && heir.state !== 'Z') return heir;
    return this.init;
  }

  #release(task: Task): void {
    task.state = 'gone';
    this.tasks.delete(task.pid);
  }

  /** Lists all processes, as the BPF program does: until the next list nothing else is seen, and it is known what changed. */
  list(): void {
    const before = this.#listed;
    const now: typeof before = new Map();
    for (const task of this.tasks.values())
      now.set(task.pid, { task, texts: [textOf(task, false), textOf(task, true)] });
    const isChanged = (pid: number): boolean =>
      before?.get(pid)?.task !== now.get(pid)?.task ||
      JSON.stringify(before?.get(pid)?.texts) !== JSON.stringify(now.get(pid)?.texts);
    const pids = [...new Set([...(before?.keys() ?? []), ...now.keys()])].filter(isChanged);
    this.changed = before && { pids: Uint32Array.from(pids), length: pids.length };
    this.#listed = now;
  }

  // What the program sees.

  begin(): void {}

  pids(): number[] {
    if (this.broken) throw new KernelFileError('proc', 'denied');
    return [...(this.#listed ?? this.tasks).keys()].sort((a, b) => a - b);
  }

  process(pid: number): ProcessFiles {
    let bound: Task | undefined;
    let ofThread = false;
    const read = (file: ProcessFile | 'exe') => {
      if (file === 'stat') this.beforeStat();
      const path = `proc/${pid}/${file}`;
      const listed = this.#listed?.get(pid);
      if (!this.#kept || !bound) bound = this.#listed ? listed?.task : this.tasks.get(pid);
      if (!bound || (this.#listed ? listed?.task !== bound : bound.state === 'gone'))
        throw new KernelFileError(path, 'gone');
      const text = listed ? listed.texts[ofThread ? 1 : 0] : textOf(bound, ofThread);
      const entry = processEntry(text, file);
      if ('failed' in entry) throw new KernelFileError(path, entry.failed);
      return entry;
    };
    const bytes = (file: ProcessFile): Uint8Array => {
      const entry = read(file);
      return 'bytes' in entry ? entry.bytes : new Uint8Array(0);
    };
    return {
      pid,
      unchanged: () => false,
      read: (file) => this.#fill(bytes(file)),
      readLater: async (file) => bytes(file),
      exe() {
        const entry = read('exe');
        return 'link' in entry ? entry.link : '';
      },
      leaderEnded(ended) {
        ofThread = ended;
      },
      close() {},
    };
  }

  read(path: string): number {
    if (path === 'proc/uptime') return this.#fill(uptimeText(this.now));
    const entry = new Map(hostEntries({ forks: this.forks, uptime: this.now })).get(path);
    if (!entry || !('bytes' in entry)) throw new KernelFileError(path, 'gone');
    return this.#fill(entry.bytes);
  }

  #fill(bytes: Uint8Array): number {
    this.buffer.set(bytes);
    return bytes.length;
  }
}

/** The kernel adds what waited-for children read and wrote to their parent's own io (task_io_accounting_add at wait). */
function textOf(task: Task, ofThread: boolean): ProcessText {
  const { pid, comm, parent, startTicks, startStack, own, reaped, memory, cgroup } = task;
  const state = task.leaderEnded ? 'Z' : task.state;
  const zombie = state === 'Z' && !ofThread;
  return {
    ...{
      pid,
      comm,
      state,
      threads: task.leaderEnded ? 2 : 1,
      startTicks,
      cgroup,
      startStack: state === 'Z' ? 0 : startStack,
      ppid: parent?.pid ?? 0,
    },
    ...{ user: own.user, system: own.system, childrenUser: reaped.user, childrenSystem: reaped.system },
    ...(!zombie && { memory }),
    io: task.state === 'Z' ? [0, 0] : [own.read + reaped.read, own.write + reaped.write],
  };
}
