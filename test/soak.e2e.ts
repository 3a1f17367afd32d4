// A minute of the soak that `npm run bench soak` runs for an hour: processes come and go all the time.
// It is too short to show that memory stays flat; it shows a leak of some MiB a minute.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { soak } from '../bench/soak.ts';
import { need } from './harness.ts';

test('churn leaves no series behind, no descriptors, and no memory', async (t) => {
  if (!need(t, 'cc')) return;
  const { ghosts, descriptors, warm, last, processesSeen } = await soak(1, 'procfs', (line) => t.diagnostic(line));
  t.diagnostic(`${warm} MiB warm, ${last} MiB at the end, ${descriptors} descriptors at most`);
  assert.equal(ghosts, 0, 'series of processes that had ended');
  assert.ok(descriptors < 4 * processesSeen + 200, `${descriptors} descriptors for ${processesSeen} processes`);
  assert.ok(last - warm < 20, `from ${warm} to ${last} MiB`);
});
