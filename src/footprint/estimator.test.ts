import assert from 'node:assert/strict';
import { test } from 'node:test';
import { frameOf } from '../../test/kernel-text.ts';
import { framedFiles } from '../kernel/capture.ts';
import { Process } from '../process/process.ts';
import { Unreadable } from '../process/unreadable.ts';
import { FootprintEstimator } from './estimator.ts';
import { proportionalSwapOf, swappedSharedOf } from './kinds.ts';
import { hugePagesMoved } from './read-need.ts';

/** The swap of a process where the host says that it has no swap. @param measured what smaps_rollup said, bytes */
function swapOf(measured: number): number {
  const files = framedFiles([frameOf({}, [{ pid: 7, comm: 'db', memory: { rss: 1000 } }])]);
  const proc = new Process(files.process(7), 1, false);
  Object.assign(proc.memory, { rss: 1024_000, shared: 0 });
  Object.assign(proc.measurement, { at: 5, rss: 1024_000, pss: 1024_000, uss: 1024_000, swap: measured });
  for (const _ of new FootprintEstimator(files, new Unreadable()).carryOver(
    [proc],
    'bounded',
    { swap: false, hugePages: false },
    5,
  ));
  return proc.footprint.swap;
}

test('where the host has no swap but a process says that it is swapped out, the process counts', () => {
  assert.equal(swapOf(500 << 20), 500 << 20);
  assert.equal(swapOf(0), 0);
});

const USED = { swap: true, hugePages: true };

/** A process whose status says these kB, one after the other; it is measured when the first is read. */
function told(measurement: Partial<Process['measurement']>, ...status: { hugetlb?: number; swap?: number }[]) {
  const files = framedFiles(
    status.map(({ hugetlb, swap }) =>
      frameOf({}, [{ pid: 7, memory: { rss: 1000, ...{ privateHugetlb: hugetlb ?? 0, swap: swap ?? 0 } } }]),
    ),
  );
  const proc = new Process(files.process(7), 1, false);
  Object.assign(proc.memory, { rss: 1024_000, shared: 0 });
  Object.assign(proc.measurement, { at: 5, rss: 1024_000, pss: 1024_000, uss: 1024_000, ...measurement });
  const estimator = new FootprintEstimator(files, new Unreadable());
  return status.map((_, pass) => {
    files.begin();
    Object.assign(proc.memory, { shared: pass }); // something moved, so that status is read
    Object.assign(proc.sharing, { activity: pass << 20 });
    for (const _ of estimator.carryOver([proc], 'bounded', USED, 5 + pass));
    const { hugetlb, swap } = proc.footprint;
    return { hugetlb, swap, sum: proportionalSwapOf(proc) + swappedSharedOf(proc), moved: hugePagesMoved(proc) };
  });
}

test('huge pages behind shared page tables are in no status: only what changes there counts', () => {
  const passes = told({ sharedHugetlb: 2 ** 33 }, { hugetlb: 0 }, { hugetlb: 0 }, { hugetlb: 2048 }, { hugetlb: 0 });
  const [first, same, more, less] = passes.map(({ hugetlb }) => hugetlb - 2 ** 33);
  assert.deepEqual([first, same, more, less], [0, 0, 2048 << 10, 0]);
  assert.deepEqual(
    passes.map(({ moved }) => moved),
    [false, false, true, false],
  );
});

test('a process that swaps in has less swap, though its pages were shared', () => {
  const [before, after] = told({ swap: 100 << 20, swapPss: 50 << 20 }, { swap: 100 << 10 }, { swap: 20 << 10 });
  assert.deepEqual([before!.swap, before!.sum], [100 << 20, 50 << 20]);
  assert.deepEqual([after!.swap, after!.sum], [20 << 20, 10 << 20]);
});
