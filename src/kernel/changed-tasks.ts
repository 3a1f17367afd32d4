// Which processes differ between two passes of the BPF program (task-records.ts). Both lists are in the order of pids, so one
// walk over both finds every process that has other numbers, began or ended: of 2,000 idle processes, none is looked at
// again. Where the numbers of a process do not hold all that its files say, it always counts as changed.
import type { PidList } from './files.ts';
import { isSameTask } from './task-readings.ts';
import { hasIo, isExact, isKernelThread, TASK, TASK_NUMBERS, type TaskPass } from './task-records.ts';
import { withRoom } from './with-room.ts';

export class ChangedTasks implements PidList {
  pids = new Uint32Array(64);
  length = 0;
  /** The pids without a record of the last walk: one that is no longer among them has ended perhaps, and no list shows that. */
  #unlisted: readonly number[] = [];

  /** @param more pids without a record, which /proc lists */
  find(before: TaskPass, now: TaskPass, more: readonly number[]): void {
    this.length = 0;
    const [fromEnd, atEnd] = [before.count * TASK_NUMBERS, now.count * TASK_NUMBERS];
    let [from, at] = [0, 0];
    while (from < fromEnd || at < atEnd) {
      const ended = from < fromEnd ? before.values[from]! : Number.POSITIVE_INFINITY;
      const pid = at < atEnd ? now.values[at]! : Number.POSITIVE_INFINITY;
      if (ended !== pid) this.#add(Math.min(ended, pid));
      else if (!isWhole(now.values, at) || !isSameTask(before.values, from, now.values, at)) this.#add(pid);
      if (ended <= pid) from += TASK_NUMBERS;
      if (pid <= ended) at += TASK_NUMBERS;
    }
    for (const pid of more) this.#add(pid);
    if (more !== this.#unlisted) for (const pid of this.#unlisted) this.#add(pid);
    this.#unlisted = more;
  }

  #add(pid: number): void {
    this.pids = withRoom(this.pids, this.length + 1);
    this.pids[this.length++] = pid;
  }
}

/** Whether the record has what stat, statm and io say. A process without memory, such as a zombie, has no exact pages. */
function isWhole(values: Float64Array, place: number): boolean {
  const flags = values[place + TASK.flags]!;
  return isKernelThread(flags) || (isExact(flags) && hasIo(flags));
}
