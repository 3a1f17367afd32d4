import assert from 'node:assert/strict';
import { test } from 'node:test';
import { frameOf, type ProcessText } from '../../test/kernel-text.ts';
import { framedFiles } from '../kernel/capture.ts';
import type { UnreadableReason } from '../kernel/files.ts';
import { KERNEL_LOG } from '../kernel/kernel-log.ts';
import { runToEnd } from '../rules/run-to-end.ts';
import { type OomKillState, OomKills } from './oom-kills.ts';
import { Tracker } from './tracker.ts';
import { Unreadable } from './unreadable.ts';

const KTHREAD: ProcessText = { pid: 2, comm: 'kthreadd', ppid: 0, kernelThread: true, startTicks: 1 };
const named = (pid: number, comm: string, more: Partial<ProcessText> = {}): ProcessText => ({
  ...{ pid, comm, memory: {}, startTicks: pid },
  ...more,
});

/** What a collection finds: numbers of records with the process of each, or why there is no log; and the processes. */
type Log = readonly (readonly [number: number, pid: number, comm: string])[] | UnreadableReason;
interface Moment {
  readonly log: Log;
  readonly processes: readonly ProcessText[];
  /** Nobody asks at this collection. */
  readonly off?: true;
}

/** @returns OOM kills by group after each collection, and what was said of the log last */
function collect(moments: readonly Moment[]): { readonly kills: readonly number[][]; readonly state: OomKillState } {
  const frames = moments.map(({ log, processes }, index) => {
    const text = (entries: Exclude<Log, string>) =>
      entries
        .map(([number, pid, comm]) => `3,${number},5,-;Out of memory: Killed process ${pid} (${comm}) total-vm:1kB\n`)
        .join('');
    const entry = typeof log === 'string' ? { failed: log } : { bytes: Buffer.from(text(log)) };
    return new Map([...frameOf({ forks: index }, processes), [KERNEL_LOG, entry]]);
  });
  const files = framedFiles(frames);
  const classify = ({ name }: { name: string }) => ({ group: name, subgroup: name, rule: 'test' });
  const tracker = new Tracker(files, { pageSize: 4096, ticksPerSecond: 100 }, new Unreadable(), classify);
  const oomKills = new OomKills(files);
  let state: OomKillState = 'off';
  const kills = moments.map(({ off }, index) => {
    files.begin();
    [...tracker.pass({ forks: index, bootTime: 1_700_000_000, cpus: 1 })];
    state = off ? oomKills.leaveOut() : runToEnd(oomKills.count(tracker));
    return ['db', 'web'].map((name) => tracker.groupCounters.of(name, name).oomKills);
  });
  return { kills, state };
}

const lastOf = (...moments: readonly Moment[]): number[] => collect(moments).kills.at(-1)!;
const ALL = [KTHREAD, named(7, 'db'), named(8, 'web')];
const start: Moment = { log: [[1, 7, 'db']], processes: ALL };

test('a process that was killed counts once in its group: while it ends, when it has ended, and a collection later', () => {
  const dying = [KTHREAD, named(7, 'db', { state: 'Z' }), named(8, 'web')];
  const gone = [KTHREAD, named(8, 'web')];
  const log: Log = [
    [2, 1, 'init'],
    [3, 7, 'db'],
  ];
  assert.deepEqual(lastOf(start, { log, processes: ALL }, { log, processes: gone }), [1, 0]);
  assert.deepEqual(lastOf(start, { log, processes: dying }, { log: [], processes: gone }), [1, 0]);
  assert.deepEqual(lastOf(start, { log, processes: gone }, { log, processes: gone }), [1, 0]);
  assert.deepEqual(lastOf(start, { log: [], processes: gone }, { log, processes: gone }), [1, 0]);
});

test('what was killed while nobody asked does not count', () => {
  const kill = (number: number): Moment => ({ log: [[number, 7, 'db']], processes: ALL });
  assert.deepEqual(lastOf(start, { ...kill(2), off: true }, kill(3)), [0, 0]);
  assert.deepEqual(lastOf(start, { ...kill(2), off: true }, kill(3), kill(4)), [1, 0]);
});

test('records from before the start do not count, however many there are', () => {
  assert.deepEqual(lastOf(start, start), [0, 0]);
});

test('a process that is not known by pid and name counts in no group', () => {
  const kill = (pid: number, comm: string): Moment => ({ log: [[2, pid, comm]], processes: ALL });
  assert.deepEqual(lastOf(start, kill(9, 'db')), [0, 0], 'never seen');
  assert.deepEqual(lastOf(start, kill(7, 'web')), [0, 0], 'another process had the pid');
  const gone: Moment = { log: [], processes: [KTHREAD] };
  assert.deepEqual(
    lastOf(start, { ...kill(7, 'web'), processes: [KTHREAD] }),
    [0, 0],
    'it had another name when it ended',
  );
  assert.deepEqual(lastOf(start, gone, gone, { ...kill(7, 'db'), processes: [KTHREAD] }), [0, 0], 'ended long ago');
});

test('where a later process has the pid already, the one with the name counts', () => {
  const processes = [KTHREAD, named(7, 'web', { startTicks: 50 })];
  assert.deepEqual(lastOf(start, { log: [[2, 7, 'db']], processes }), [1, 0]);
  assert.deepEqual(lastOf(start, { log: [[2, 7, 'web']], processes }), [0, 1]);
});

test('a counter keeps what it counted when its processes are gone', () => {
  const gone: Moment = { log: [], processes: [KTHREAD] };
  assert.deepEqual(lastOf(start, { log: [[2, 7, 'db']], processes: ALL }, gone, gone, gone), [1, 0]);
});

test('it is said whether kills are counted, and why not', () => {
  const stateOf = (log: Log, processes = ALL): OomKillState => collect([{ log, processes }]).state;
  assert.equal(stateOf([]), 'counted');
  assert.equal(stateOf(start.log), 'counted');
  assert.equal(stateOf('denied'), 'denied');
  assert.equal(stateOf('gone'), 'gone');
  assert.equal(stateOf([], ALL.slice(1)), 'other pids', 'without kernel threads it is another pid namespace');
});
