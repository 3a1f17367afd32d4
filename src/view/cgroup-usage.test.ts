import assert from 'node:assert/strict';
import { test } from 'node:test';
import { frameOf, type ProcessText } from '../../test/kernel-text.ts';
import { type CapturedFile, type Frame, framedFiles } from '../kernel/capture.ts';
import { Tracker } from '../process/tracker.ts';
import { Unreadable } from '../process/unreadable.ts';
import { CgroupUsage } from './cgroup-usage.ts';

const ID = '9f2c4a5b6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718';
const MOUNT = '30 23 0:27 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n';

/** Cgroups with the memory controller by path, and what they use. */
type Usage = Readonly<Record<string, number>>;
type Moment = { readonly processes: readonly ProcessText[]; readonly usage: Usage; readonly bare?: readonly string[] };

function frame({ processes, usage, bare = [] }: Moment): Frame {
  const file = (text: string): CapturedFile => ({ bytes: Buffer.from(text) });
  const withMemory = Object.entries(usage).flatMap(([path, bytes]): [string, CapturedFile][] => [
    [`sys/fs/cgroup${path}/cgroup.controllers`, file('cpu memory\n')],
    [`sys/fs/cgroup${path}/memory.current`, file(`${bytes}\n`)],
  ]);
  const without = bare.map((path): [string, CapturedFile] => [`sys/fs/cgroup${path}/cgroup.controllers`, file('\n')]);
  return new Map([...frameOf({}, processes), ['proc/1/mountinfo', file(MOUNT)], ...withMemory, ...without]);
}

/** Follows a host from moment to moment; PSS is half of RSS where it is known. */
function follow(...moments: readonly Moment[]) {
  const files = framedFiles(moments.map(frame));
  const units = { pageSize: 4096, ticksPerSecond: 100 };
  const classify = () => ({ group: 'g', subgroup: 's', rule: 'r' });
  const tracker = new Tracker(files, units, new Unreadable(), classify);
  const accounts = new CgroupUsage(files, (proc) => tracker.describeAgain(proc));
  let at = 0;
  return () => {
    files.begin();
    for (const _ of tracker.pass({ forks: Number.NaN, bootTime: 0, cpus: 1 }));
    for (const { footprint, memory, pid } of tracker.living)
      Object.assign(footprint, { pss: pid === 13 ? Number.NaN : memory.rss / 2 });
    at += 15;
    const work = accounts.read(tracker.living, at);
    let step = work.next();
    while (!step.done) step = work.next();
    const { rows, unreadable, unreadCount } = step.value;
    const found = rows.map(({ path, reading, processes, pss }) => [path, reading.memory, processes, pss]);
    return { found, rows, unreadable: [...unreadable], unreadCount };
  };
}

const kB = 1024;
const lives = (pid: number, cgroup: string, rss = 1024): ProcessText => ({
  ...{ pid, comm: `p${pid}`, memory: { rss }, startTicks: pid },
  cgroup: `0::${cgroup}\n`,
});

test('the processes of a cgroup are added up, largest cgroup first, without kernel threads, zombies and the root', () => {
  const processes: ProcessText[] = [
    { pid: 2, kernelThread: true },
    lives(1, '/init.scope'),
    lives(5, '/'),
    lives(10, '/system.slice/a.service', 400),
    lives(11, '/system.slice/a.service', 800),
    lives(12, `/system.slice/docker-${ID}.scope`, 4000),
    { pid: 14, state: 'Z', cgroup: '0::/system.slice/a.service (deleted)\n' },
  ];
  const usage = { '/init.scope': 7, '/system.slice/a.service': 8, [`/system.slice/docker-${ID}.scope`]: 9 };
  const { found, rows, unreadable, unreadCount } = follow({ processes, usage, bare: ['', '/system.slice'] })();
  assert.deepEqual(found, [
    [`/system.slice/docker-${ID}.scope`, 9, 1, 2000 * kB],
    ['/system.slice/a.service', 8, 2, 600 * kB],
    ['/init.scope', 7, 1, 512 * kB],
  ]);
  assert.deepEqual(
    rows.map(({ place: { unit, container } }) => unit || container),
    [ID, 'a.service', 'init.scope'],
  );
  assert.deepEqual([unreadable, unreadCount], [[], 0]);
});

test('cgroups without the controller are added to their nearest ancestor that has it', () => {
  const processes = [lives(10, '/u/x/1', 100), lives(11, '/u/x/2', 200), lives(12, '/u/y', 1000)];
  const { found } = follow({ processes, usage: { '/u/x': 5, '/u/y': 6 }, bare: ['/u/x/1', '/u/x/2'] })();
  assert.deepEqual(found, [
    ['/u/y', 6, 1, 500 * kB],
    ['/u/x', 5, 2, 150 * kB],
  ]);
});

test('PSS is known only where it is known of every process of the cgroup', () => {
  const processes = [lives(10, '/a'), lives(13, '/a'), lives(12, '/b')];
  const { found } = follow({ processes, usage: { '/a': 1, '/b': 2 } })();
  assert.deepEqual(found, [
    ['/a', 1, 2, Number.NaN],
    ['/b', 2, 1, 512 * kB],
  ]);
});

test('a cgroup that cannot be read is counted, and the others are read', () => {
  const processes = [lives(10, '/gone'), lives(11, '/../outside'), lives(12, '/b')];
  const look = follow({ processes, usage: { '/b': 2 } });
  for (let times = 0; times < 2; times++) {
    const { found, unreadable } = look();
    assert.deepEqual(found, [['/b', 2, 1, 512 * kB]]);
    assert.deepEqual(unreadable, [
      ['gone', 1],
      ['unsupported', 1],
    ]);
  }
});

test('a cgroup that is gone loses its row; its processes are found in their new cgroup', () => {
  const before: Moment = { processes: [lives(10, '/old'), lives(11, '/b')], usage: { '/old': 1, '/b': 2 } };
  const after: Moment = { processes: [lives(10, '/new'), lives(11, '/b')], usage: { '/new': 3, '/b': 2 } };
  const look = follow(before, after);
  const paths = () => look().found.map(([path]) => path);
  assert.deepEqual(paths(), ['/old', '/b']);
  assert.deepEqual(paths(), ['/b']);
  assert.deepEqual(paths().sort(), ['/b', '/new']);
  assert.deepEqual(paths().sort(), ['/b', '/new']);
});

test('a cgroup whose processes ended loses its row', () => {
  const usage = { '/a': 1, '/b': 2 };
  const look = follow(
    { processes: [lives(10, '/a'), lives(11, '/b')], usage },
    { processes: [lives(10, '/a')], usage },
  );
  assert.equal(look().rows.length, 2);
  assert.deepEqual(look().found, [['/a', 1, 1, 512 * kB]]);
});

test('of very many cgroups only the largest are read', () => {
  const processes = Array.from({ length: 1003 }, (_, i) => lives(20 + i, `/c${i}`, 4 * (i + 1)));
  const usage = Object.fromEntries(processes.map((_, i) => [`/c${i}`, i]));
  const { rows, unreadCount } = follow({ processes, usage })();
  assert.equal(unreadCount, 3);
  assert.equal(rows.length, 1000);
  assert.equal(rows[0]!.path, '/c1002');
  assert.ok(rows.every(({ path }) => !['/c0', '/c1', '/c2'].includes(path)));
});
