import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { type CapturedFile, formatCapture, framedFiles, parseCapture, recordFrame } from './capture.ts';
import {
  cgroupLinesOf,
  findMemoryCgroup,
  MOUNTINFO,
  memoryPathOf,
  parseMemberships,
  readCgroupMounts,
  readMemoryCgroup,
} from './cgroup.ts';
import { KernelFileError, type KernelFiles, unlessUnreadable } from './files.ts';
import { liveFiles } from './live-host.ts';
import { readCgroup } from './pid.ts';

/** Kernel files by path; what is undefined is not there. */
type Tree = Readonly<Record<string, string>>;
const filesOf = (tree: Tree) =>
  framedFiles([
    new Map(Object.entries(tree).map(([path, text]): [string, CapturedFile] => [path, { bytes: Buffer.from(text) }])),
  ]);

const mount = (root: string, point: string, type: string, options: string): string =>
  `30 23 0:27 ${root} ${point} rw,nosuid shared:9 - ${type} ${type} ${options}\n`;
const NOISE = `${mount('/', '/', 'ext4', 'rw')}${mount('/', '/mnt/a\\040b', 'ext4', 'rw,memory')}rubbish\n`;
const UNIFIED = NOISE + mount('/', '/sys/fs/cgroup', 'cgroup2', 'rw,nsdelegate');
const LEGACY =
  mount('/', '/sys/fs/cgroup/cpu,cpuacct', 'cgroup', 'rw,cpu,cpuacct') +
  mount('/', '/sys/fs/cgroup/memory', 'cgroup', 'rw,memory');
const HYBRID = NOISE + LEGACY + mount('/', '/sys/fs/cgroup/unified', 'cgroup2', 'rw');

const STAT =
  'anon 600\nfile 300\nkernel 90\nkernel_stack 10\nshmem 50\nfile_mapped 120\nanon_thp 7\nworkingset_refault_anon 3\n';
const psi = (some: number, full: number) =>
  `some avg10=0.00 avg60=0.00 avg300=0.00 total=${some}\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=${full}\n`;

function v2(folder: string): Tree {
  const files = {
    'cgroup.controllers': 'cpuset cpu io memory pids\n',
    'memory.current': '1000\n',
    'memory.stat': STAT,
    'memory.swap.current': '40\n',
    'memory.events': 'low 0\nhigh 0\nmax 9\noom 3\noom_kill 2\noom_group_kill 0\n',
    'memory.max': '5000\n',
    'memory.high': 'max\n',
    'memory.pressure': psi(1_500_000, 500_000),
    'cpu.pressure': psi(2_000_000, 0),
  };
  return Object.fromEntries(Object.entries(files).map(([name, text]) => [`${folder}/${name}`, text]));
}

function v1(folder: string): Tree {
  const files = {
    'memory.usage_in_bytes': '1000\n',
    'memory.stat':
      'cache 1\nrss 2\nshmem 3\ntotal_cache 300\ntotal_rss 600\ntotal_shmem 50\ntotal_mapped_file 120\ntotal_swap 40\n',
    'memory.kmem.usage_in_bytes': '90\n',
    'memory.limit_in_bytes': '5000\n',
    'memory.oom_control': 'oom_kill_disable 0\nunder_oom 0\noom_kill 2\n',
  };
  return Object.fromEntries(Object.entries(files).map(([name, text]) => [`${folder}/${name}`, text]));
}

const CHARGED = {
  memory: 1000,
  anon: 600,
  file: 300,
  mapped: 120,
  shmem: 50,
  kernel: 90,
  swap: 40,
  oomKills: 2,
  max: 5000,
  high: Number.NaN,
};
const MEMORY_PRESSURE = { some: 1.5, full: 0.5 };
const CPU_PRESSURE = { some: 2, full: 0 };

/** The whole way from a process's cgroups to a reading. */
function look(tree: Tree, text: string, files: KernelFiles = filesOf(tree)) {
  const mounts = readCgroupMounts(files);
  const cgroup = findMemoryCgroup(files, mounts, memoryPathOf(mounts, parseMemberships(text)));
  return cgroup && { path: cgroup.path, ...readMemoryCgroup(files, cgroup) };
}

const NGINX = '/system.slice/nginx.service';
const full = { ...CHARGED, memoryPressure: MEMORY_PRESSURE, cpuPressure: CPU_PRESSURE };
const calm = { ...CHARGED, memoryPressure: undefined, cpuPressure: undefined };

// biome-ignore format: one line a case
const found: [what: string, tree: Tree, text: string, expected: unknown][] = [
  ['version 2', { 'proc/1/mountinfo': UNIFIED, ...v2(`sys/fs/cgroup${NGINX}`) }, `0::${NGINX}\n`, { path: NGINX, ...full }],
  ['version 2 where mountinfo may not be read', v2(`sys/fs/cgroup${NGINX}`), `0::${NGINX}\n`, { path: NGINX, ...full }],
  ['mounted elsewhere', { 'proc/1/mountinfo': mount('/', '/my\\040cgroups', 'cgroup2', 'rw'), ...v2(`my cgroups${NGINX}`) }, `0::${NGINX}\n`, { path: NGINX, ...full }],
  ['the mount that shows most', { 'proc/1/mountinfo': mount('/a/b', '/b', 'cgroup2', 'rw') + UNIFIED + mount('/a', '/a', 'cgroup2', 'rw'), ...v2(`sys/fs/cgroup${NGINX}`) }, `0::${NGINX}\n`, { path: NGINX, ...full }],
  ['only a part is mounted', { 'proc/1/mountinfo': mount('/a', '/m', 'cgroup2', 'rw'), ...v2('m/b') }, '0::/a/b\n', { path: '/a/b', ...full }],
  ['only that very cgroup is mounted', { 'proc/1/mountinfo': mount('/a', '/m', 'cgroup2', 'rw'), ...v2('m') }, '0::/a\n', { path: '/a', ...full }],
  ['without the controller: the one around it', { 'proc/1/mountinfo': UNIFIED, ...v2('sys/fs/cgroup/a'), 'sys/fs/cgroup/a/b/cgroup.controllers': 'cpu pids\n', 'sys/fs/cgroup/a/b/c/cgroup.controllers': '\n' }, '0::/a/b/c\n', { path: '/a', ...full }],
  ['nothing around it but the host', { 'proc/1/mountinfo': UNIFIED, 'sys/fs/cgroup/a/cgroup.controllers': '\n', 'sys/fs/cgroup/cgroup.controllers': 'memory\n' }, '0::/a\n', undefined],
  ['the host itself', { 'proc/1/mountinfo': UNIFIED, 'sys/fs/cgroup/cgroup.controllers': 'memory\n' }, '0::/\n', undefined],
  ['the root of a cgroup namespace', { 'proc/1/mountinfo': UNIFIED, ...v2('sys/fs/cgroup') }, '0::/\n', { path: '/', ...full }],
  ['version 1', { 'proc/1/mountinfo': LEGACY, ...v1(`sys/fs/cgroup/memory${NGINX}`) }, `4:memory:${NGINX}\n1:name=systemd:/x\n`, { path: NGINX, ...calm }],
  ['version 1, controllers together', { 'proc/1/mountinfo': mount('/', '/c', 'cgroup', 'rw,cpu,memory'), ...v1(`c${NGINX}`) }, `4:cpu,memory:${NGINX}\n`, { path: NGINX, ...calm }],
  ['version 1, the host itself', { 'proc/1/mountinfo': LEGACY, ...v1('sys/fs/cgroup/memory') }, '4:memory:/\n', undefined],
  ['hybrid', { 'proc/1/mountinfo': HYBRID, ...v1(`sys/fs/cgroup/memory${NGINX}`), [`sys/fs/cgroup/unified${NGINX}/memory.pressure`]: psi(1_500_000, 500_000), [`sys/fs/cgroup/unified${NGINX}/cpu.pressure`]: psi(2_000_000, 0) }, `4:memory:${NGINX}\n0::${NGINX}\n`, { path: NGINX, ...full }],
  ['hybrid, and version 2 does not know it', { 'proc/1/mountinfo': HYBRID, ...v1('sys/fs/cgroup/memory/docker/x') }, '4:memory:/docker/x\n0::/\n', { path: '/docker/x', ...calm }],
  ['version 2 with both limits', { 'proc/1/mountinfo': UNIFIED, ...v2(`sys/fs/cgroup${NGINX}`), [`sys/fs/cgroup${NGINX}/memory.high`]: '0\n' }, `0::${NGINX}\n`, { path: NGINX, ...full, high: 0 }],
  ['version 1 without a limit', { 'proc/1/mountinfo': LEGACY, ...v1('sys/fs/cgroup/memory/a'), 'sys/fs/cgroup/memory/a/memory.limit_in_bytes': '9223372036854771712\n' }, '4:memory:/a\n', { path: '/a', ...calm, max: Number.NaN }],
  ['version 1 without a limit, pages of 64 KiB', { 'proc/1/mountinfo': LEGACY, ...v1('sys/fs/cgroup/memory/a'), 'sys/fs/cgroup/memory/a/memory.limit_in_bytes': '9223372036854710272\n' }, '4:memory:/a\n', { path: '/a', ...calm, max: Number.NaN }],
  ['no cgroups', { 'proc/1/mountinfo': NOISE }, '', undefined],
  ['no line of that hierarchy', { 'proc/1/mountinfo': UNIFIED }, '4:memory:/a\nrubbish\n', undefined],
  ['a kernel that offers little', { 'proc/1/mountinfo': UNIFIED, 'sys/fs/cgroup/a/cgroup.controllers': 'memory\n', 'sys/fs/cgroup/a/memory.current': '5\n', 'sys/fs/cgroup/a/memory.stat': `anon ${'9'.repeat(400)}\nfile -1\nxshmem 4\n` }, '0::/a\n',
    { path: '/a', memory: 5, anon: Number.NaN, file: Number.NaN, mapped: Number.NaN, shmem: Number.NaN, kernel: Number.NaN, swap: Number.NaN, max: Number.NaN, high: Number.NaN, oomKills: Number.NaN, memoryPressure: undefined, cpuPressure: undefined }],
];
for (const [what, tree, text, expected] of found) {
  test(what, () => assert.deepEqual(look(tree, text), expected));
}

// biome-ignore format: one line a case
const failing: [what: string, tree: Tree, text: string, reason: string][] = [
  ['gone', { 'proc/1/mountinfo': UNIFIED, ...v2('sys/fs/cgroup') }, '0::/gone\n', 'gone'],
  ['gone, version 1', { 'proc/1/mountinfo': LEGACY }, '4:memory:/gone\n', 'gone'],
  ['outside of the namespace', { 'proc/1/mountinfo': UNIFIED, ...v2('sys/fs') }, '0::/../a\n', 'unsupported'],
  ['outside of what is mounted', { 'proc/1/mountinfo': mount('/a', '/m', 'cgroup2', 'rw'), ...v2('m/b') }, '0::/ab\n', 'unsupported'],
  ['nonsense', { 'proc/1/mountinfo': UNIFIED, ...v2('sys/fs/cgroup/a'), 'sys/fs/cgroup/a/memory.current': 'max\n' }, '0::/a\n', 'malformed'],
];
for (const [what, tree, text, reason] of failing) {
  test(`no reading: ${what}`, () => assert.throws(() => look(tree, text), { name: 'KernelFileError', reason }));
}

test('a host mounted elsewhere: cgroups lie beside its procfs', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'herakles-cgroup-'));
  t.after(() => rmSync(root, { recursive: true }));
  const tree: Tree = { 'proc/1/mountinfo': UNIFIED, ...v2(`sys/fs/cgroup${NGINX}`) };
  for (const [path, text] of Object.entries(tree)) {
    mkdirSync(join(root, dirname(path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  assert.deepEqual(look(tree, `0::${NGINX}\n`, liveFiles(`${root}/proc`)), { path: NGINX, ...full });
});

test('any bytes in any file give a reading, none, or a KernelFileError', () => {
  const tree: Tree = { 'proc/1/mountinfo': HYBRID, ...v1('sys/fs/cgroup/memory/a'), ...v2('sys/fs/cgroup/unified/a') };
  const unified: Tree = { 'proc/1/mountinfo': UNIFIED, ...v2('sys/fs/cgroup/a') };
  const change = fc.record({
    of: fc.constantFrom(tree, unified),
    path: fc.nat(20),
    text: fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('9'.repeat(400), '-1', 'anon 1\nanon 2\n', '/'.repeat(99)),
    ),
    membership: fc.oneof(
      fc.constant('0::/a\n4:memory:/a\n'),
      fc.string().map((text) => `0::${text}\n4:memory:${text}`),
    ),
  });
  fc.assert(
    fc.property(change, ({ of, path, text, membership }) => {
      const paths = Object.keys(of);
      try {
        for (const value of Object.values(look({ ...of, [paths[path % paths.length]!]: text }, membership) ?? {})) {
          assert.ok(
            typeof value !== 'number' || Number.isNaN(value) || (value >= 0 && value < Number.POSITIVE_INFINITY),
          );
        }
      } catch (error) {
        assert.ok(error instanceof KernelFileError, String(error));
      }
    }),
    { numRuns: 500 },
  );
});

test('a capture holds the files that the reader reads, and only the mounts of cgroups; it gives the same reading', async () => {
  const tree: Tree = {
    'proc/1/mountinfo': UNIFIED,
    'proc/7/stat': 'x',
    'proc/7/cgroup': '0::/a/b\n',
    'proc/8/stat': 'x',
    'proc/8/cgroup': '0::/with space\n',
    'proc/9/stat': 'x',
    'proc/9/cgroup': '0::/gone\n',
    ...v2('sys/fs/cgroup/a'),
    ...v2('sys/fs/cgroup/stranger'),
    'sys/fs/cgroup/a/b/cgroup.controllers': '\n',
  };
  const scrub = (path: string, bytes: Uint8Array) => (path === MOUNTINFO ? cgroupLinesOf(bytes) : bytes);
  const recorded = await recordFrame(filesOf(tree), scrub, (files) => {
    const mounts = readCgroupMounts(files);
    for (const pid of files.pids()) {
      const path = memoryPathOf(mounts, parseMemberships(readCgroup(files, files.process(pid))));
      const cgroup = unlessUnreadable(() => findMemoryCgroup(files, mounts, path));
      if (cgroup) readMemoryCgroup(files, cgroup);
    }
  });
  const [frame] = parseCapture(formatCapture([recorded]));
  assert.deepEqual(frame!.get('proc/1/mountinfo'), { bytes: Buffer.from(UNIFIED.slice(NOISE.length)) });
  assert.ok(![...frame!.keys()].some((path) => path.includes('stranger')));
  const served = Object.fromEntries(
    [...frame!].flatMap(([path, entry]) => ('bytes' in entry ? [[path, Buffer.from(entry.bytes).toString()]] : [])),
  );
  assert.deepEqual(look(served, '0::/a/b\n'), look(tree, '0::/a/b\n'));
  assert.throws(() => look(served, '0::/gone\n'), { reason: 'gone' });
});
