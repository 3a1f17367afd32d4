import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ProcessText, processEntries } from '../../test/kernel-text.ts';
import { type CapturedFile, framedFiles } from '../kernel/capture.ts';
import { KernelFileError, type ProcessFile, type UnreadableReason } from '../kernel/files.ts';
import { Identities } from './identities.ts';
import { BLOCKED, Process } from './process.ts';
import { Unreadable } from './unreadable.ts';
import { Users } from './users.ts';

const PASSWD = Buffer.from('root:x:0:0::/:/bin/sh\nme:x:1000:1000::/:/bin/sh\n');
const WEB: ProcessText = {
  pid: 7,
  comm: 'web',
  uid: 1000,
  memory: {},
  argv: ['web', '-x'],
  cgroup: '0::/system.slice/web.service\n',
};

function identify(given: ProcessText, changes: Record<string, CapturedFile> = {}, state = 0x53) {
  const unreadable = new Unreadable();
  const entries = new Map([
    ['etc/passwd', { bytes: PASSWD }] as [string, CapturedFile],
    ...processEntries(given),
    ...Object.entries(changes).map(([file, entry]) => [`proc/7/${file}`, entry] as const),
  ]);
  const files = framedFiles([entries]);
  const read: string[] = [];
  const own = files.process(7);
  const watch = (file: ProcessFile) => {
    read.push(file);
    return own.read(file);
  };
  const watched = { ...own, read: watch };
  const proc = new Process(watched, 1, given.kernelThread ?? false);
  Object.assign(proc.stat, { comm: String(given.comm), state });
  const users = new Users(files);
  users.look(0);
  const identities = new Identities(files, unreadable, users);
  const identity = given.kernelThread
    ? identities.ofKernelThread(proc)
    : identities.of(proc, identities.cgroupsOf(proc));
  return { identity, identities, proc, read, counts: unreadable.counts(), unreadable };
}

const expected = {
  name: 'web',
  exe: '/usr/bin/web',
  argv: ['web', '-x'],
  user: 'me',
  unit: 'web.service',
  container: '',
  podUid: '',
};
const denied: CapturedFile = { failed: 'denied' };

test('the identity of a process', () => assert.deepEqual(identify(WEB).identity, expected));

// biome-ignore format: one line a case
const cases: [what: string, given: Partial<ProcessText>, changes: Record<string, CapturedFile>, identity: Partial<typeof expected>][] = [
  ['a program that was replaced', {}, { exe: { link: '/usr/bin/web (deleted)' } }, {}],
  ['a program whose name ends like that', {}, { exe: { link: '/x (deleted) (deleted)' } }, { exe: '/x (deleted)' }],
  ['an exe that is not Unicode', {}, { exe: { link: '/x\ud800' } }, { exe: '/x\ufffd' }],
  ['a user without a name', { uid: 4242 }, {}, { user: '4242' }],
  ['a name that is not UTF-8', { comm: '\xff' }, {}, { name: '\\xff', exe: '/usr/bin/web' }],
  ['no command line', { argv: [] }, {}, { argv: [] }],
];
for (const [what, given, changes, identity] of cases) {
  test(what, () =>
    assert.deepEqual(identify({ ...WEB, exe: '/usr/bin/web', ...given }, changes).identity, {
      ...expected,
      ...identity,
    }),
  );
}

test('a file that may not be read leaves its value empty and is counted; the rest is known', () => {
  const empty = { exe: '', argv: [], user: '', unit: '' };
  for (const [file, key] of [
    ['exe', 'exe'],
    ['cmdline', 'argv'],
    ['status', 'user'],
    ['cgroup', 'unit'],
  ] as const) {
    const { identity, counts, identities, proc, unreadable } = identify(WEB, { [file]: denied });
    assert.deepEqual(identity, { ...expected, [key]: empty[key] });
    assert.deepEqual(counts, [{ file, reason: 'denied', processes: 1 }]);
    identities.of(proc, identities.cgroupsOf(proc));
    assert.deepEqual(unreadable.counts(), counts, 'counted once, however often it is tried');
    unreadable.forget(proc);
    assert.deepEqual(unreadable.counts(), [{ file, reason: 'denied', processes: 0 }]);
  }
});

test('the command line of a process in state D is not read: the read could hang', () => {
  const { identity, read, counts } = identify(WEB, {}, BLOCKED);
  assert.deepEqual(identity, { ...expected, argv: [] });
  assert.ok(!read.includes('cmdline') && read.includes('status'));
  assert.deepEqual(counts, []);
});

test('a kernel thread has a name and nothing else, and nothing is read of it', () => {
  const { identity, read } = identify({ pid: 7, comm: 'kworker/0:1H-kblockd', kernelThread: true });
  assert.deepEqual(identity, {
    name: 'kworker/0:1H-kblockd',
    exe: '',
    argv: [],
    user: 'root',
    unit: '',
    container: '',
    podUid: '',
  });
  assert.deepEqual(read, []);
});

test('unreadable: a reason that changes is counted under the new one, and a fault of this program is thrown', () => {
  const { proc, unreadable } = identify(WEB);
  const note = (reason: UnreadableReason) => unreadable.note(proc, 'io', new KernelFileError('proc/7/io', reason));
  assert.equal(note('denied'), 'denied');
  note('gone');
  note('gone');
  assert.deepEqual(unreadable.counts(), [
    { file: 'io', reason: 'denied', processes: 0 },
    { file: 'io', reason: 'gone', processes: 1 },
  ]);
  unreadable.clear(proc, 'io');
  unreadable.clear(proc, 'io');
  assert.ok(unreadable.counts().every(({ processes }) => processes === 0));
  assert.throws(() => unreadable.note(proc, 'io', new TypeError('ours')), /ours/);
});
