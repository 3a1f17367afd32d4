import assert from 'node:assert/strict';
import { test } from 'node:test';
import { frameOf } from '../../test/kernel-text.ts';
import { framedFiles } from '../kernel/capture.ts';
import { Process } from '../process/process.ts';
import { Unreadable } from '../process/unreadable.ts';
import { FootprintEstimator } from './estimator.ts';

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
