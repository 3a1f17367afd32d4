import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ChangedTasks } from './changed-tasks.ts';
import { TASK, TASK_NUMBERS, TaskPass } from './task-records.ts';

const KERNEL_THREAD = 1;
const WHOLE = 2 + 4;

interface Task {
  readonly flags: number;
  readonly runtime: number;
}

/** @param tasks by pid */
function passOf(tasks: ReadonlyMap<number, Task>): TaskPass {
  const pass = new TaskPass();
  const sorted = [...tasks].sort(([a], [b]) => a - b);
  for (const [pid, { flags, runtime }] of sorted) {
    const place = TASK_NUMBERS * pass.count++;
    pass.values[place + TASK.pid] = pid;
    pass.values[place + TASK.flags] = flags;
    pass.values[place + TASK.runtime] = runtime;
  }
  return pass;
}

const someTasks = fc
  .array(
    fc.tuple(
      fc.integer({ min: 1, max: 40 }),
      fc.record({ flags: fc.constantFrom(0, KERNEL_THREAD, 2, 4, WHOLE, WHOLE), runtime: fc.nat(2) }),
    ),
  )
  .map((pairs) => new Map<number, Task>(pairs));

test('a process is left out only where both lists have all of it, and the same', () => {
  const changed = new ChangedTasks();
  fc.assert(
    fc.property(someTasks, someTasks, (before, now) => {
      changed.find(passOf(before), passOf(now), []);
      const found = [...changed.pids.subarray(0, changed.length)];
      const expected = [...new Set([...before.keys(), ...now.keys()])].filter((pid) => {
        const [from, to] = [before.get(pid), now.get(pid)];
        const isWhole = to?.flags === KERNEL_THREAD || to?.flags === WHOLE;
        return !isWhole || from?.flags !== to.flags || from.runtime !== to.runtime;
      });
      assert.deepEqual(
        found,
        expected.sort((a, b) => a - b),
      );
    }),
  );
});

test('a process without a record is read each time, and once more when it is no longer known to be there', () => {
  const changed = new ChangedTasks();
  const idle = new Map([[1, { flags: WHOLE, runtime: 1 }]]);
  const find = (more: readonly number[]) => {
    changed.find(passOf(idle), passOf(idle), more);
    return [...changed.pids.subarray(0, changed.length)];
  };
  const unseen = [7, 9];
  assert.deepEqual([find(unseen), find(unseen), find([9]).sort(), find([])], [[7, 9], [7, 9], [7, 9, 9], [9]]);
  assert.deepEqual(find([]), []);
});
