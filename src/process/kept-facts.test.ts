// What a process says may change or contradict itself: counters fall, cgroups, users and clocks change.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { frameOf } from '../../test/kernel-text.ts';
import { type CapturedFile, framedFiles } from '../kernel/capture.ts';
import { Tracker } from './tracker.ts';
import { Unreadable } from './unreadable.ts';

type Moment = { user?: number; cgroup?: string; passwd?: string; bootTime?: number };

function follow(moments: readonly Moment[]) {
  const frames = moments.map(({ user = 100, cgroup = '0::/a.service\n', passwd = 'me:x:1000:1::/:/x\n' }, index) => {
    const job = { pid: 16, comm: 'job', uid: 1000, user, memory: { rss: 1000 }, startTicks: 10, cgroup };
    const host = frameOf({ uptime: 100_000 + 10_000 * index }, [job]);
    return new Map<string, CapturedFile>([...host, ['etc/passwd', { bytes: Buffer.from(passwd) }]]);
  });
  const files = framedFiles(frames);
  const classify = () => ({ group: 'g', subgroup: 's', rule: 'r' });
  const tracker = new Tracker(files, { pageSize: 4096, ticksPerSecond: 100 }, new Unreadable(), classify);
  return moments.map(({ bootTime = 1000 }) => {
    files.begin();
    for (const _ of tracker.pass({ forks: Number.NaN, bootTime, cpus: 1 }));
    const { stat, description } = tracker.living.find(({ pid }) => pid === 16)!;
    const { identity, startTime } = description;
    return { cpu: stat.user, gained: tracker.groupCounters.of('g', 's').user, startTime, ...identity };
  });
}

test('a CPU time that falls by a tick keeps its maximum, and is not gained twice', () => {
  const seen = follow([{ user: 100 }, { user: 150 }, { user: 149 }, { user: 151 }]);
  assert.deepEqual(
    seen.map(({ cpu }) => cpu),
    [1, 1.5, 1.5, 1.51],
  );
  assert.deepEqual(
    seen.map(({ gained }) => gained),
    [0, 0.5, 0.5, 0.51],
  );
});

test('a process that was moved to another cgroup has its new unit within 241 collections', () => {
  const seen = follow([{}, {}, ...Array(241).fill({ cgroup: '0::/b.service\n' })]);
  assert.equal(seen[1]!.unit, 'a.service');
  assert.equal(seen.at(-1)!.unit, 'b.service');
});

test('a user who gets a name has it at the next look, and a clock that is set moves start times', () => {
  const seen = follow([
    { passwd: '' },
    { passwd: 'late:x:1000:1::/:/x\n', bootTime: 1001 },
    { bootTime: 5000, passwd: 'late:x:1000:1::/:/x\n' },
  ]);
  assert.deepEqual(
    seen.map(({ user }) => user),
    ['1000', 'late', 'late'],
  );
  assert.deepEqual(
    seen.map(({ startTime }) => startTime),
    [1000.1, 1000.1, 5000.1],
  );
});
