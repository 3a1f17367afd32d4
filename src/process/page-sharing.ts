// Knows which processes may share pages: those of one executable share its text and its copy-on-write pages, and a parent
// may share memory with its children whatever they execute. What one of them touches may change the PSS and USS of the others;
// so the activity (bytes touched or given back) is added up for a process, for all of its executable, and for its parent.
import type { Difference } from './difference.ts';
import { type Process, type ProcessDescription, Sharers, type Sharing } from './process.ts';

export class PageSharing {
  readonly #byExecutable = new Map<string, Sharers>();
  readonly #parentOf: (child: Process) => Process | undefined;

  constructor(parentOf: (child: Process) => Process | undefined) {
    this.#parentOf = parentOf;
  }

  /** A process was found, and is described: it joins those of its executable. */
  add(proc: Process, { memoryMoved }: Readonly<Difference>): void {
    const sharing: Sharing = proc.sharing;
    sharing.activity = memoryMoved || 0;
    this.#join(proc, sharing);
  }

  /** Call it for each new process when the listing has ended: a parent with a higher pid is listed after its child. */
  allFound(proc: Process): void {
    const sharing: Sharing = proc.sharing;
    const parent = this.#parentOf(proc);
    const sameStack = proc.stat.startStack !== 0 && proc.stat.startStack === parent?.stat.startStack;
    sharing.forkedFrom = sameStack ? parent : undefined;
  }

  /** A process is described again: after an exec it has other pages to share. */
  describedAgain(proc: Process): void {
    if (proc.sharing.sharers.key === keyOf(proc.description)) return;
    this.remove(proc);
    this.#join(proc, proc.sharing);
  }

  /** A process ended, or became another program. */
  remove(proc: Process): void {
    const sharing: Sharing = proc.sharing;
    const sharers: Sharers = sharing.sharers;
    if (--sharers.members === 0) this.#byExecutable.delete(sharers.key);
    this.#addToParent(proc, sharing, proc.memory.shared);
    sharing.parent = undefined;
    sharing.forkedFrom = undefined;
  }

  /** A process was read again: what it touched may have moved what the others hold. */
  take(proc: Process, { memoryMoved }: Readonly<Difference>): void {
    if (Number.isNaN(memoryMoved)) return;
    const sharing: Sharing = proc.sharing;
    const sharers: Sharers = sharing.sharers;
    sharing.activity += memoryMoved;
    sharers.activity += memoryMoved;
    this.#addToParent(proc, sharing, memoryMoved);
  }

  #join(proc: Process, sharing: Sharing): void {
    const key = keyOf(proc.description);
    let sharers = this.#byExecutable.get(key);
    if (!sharers) {
      sharers = new Sharers(key);
      this.#byExecutable.set(key, sharers);
    }
    sharers.members++;
    sharing.sharers = sharers;
    this.#addToParent(proc, sharing, proc.memory.shared);
  }

  #addToParent(proc: Process, sharing: Sharing, bytes: number): void {
    const parent = this.#parentOf(proc);
    sharing.parent = parent?.sharing.sharers === sharing.sharers ? undefined : parent;
    if (!sharing.parent || !(bytes > 0)) return;
    const parentSharing: Sharing = sharing.parent.sharing;
    parentSharing.childrenActivity += bytes;
  }
}

const keyOf = ({ identity: { exe, name } }: ProcessDescription): string => exe || name;
