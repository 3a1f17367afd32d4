import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  Dir,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { frameOf, type ProcessText } from '../../test/kernel-text.ts';
import { formatCapture, framedFiles, parseCapture } from './capture.ts';
import {
  FileRequests,
  KernelFileError,
  type KernelFiles,
  PROCESS_FILES,
  type ProcessFile,
  type ProcessFiles,
  textOf,
} from './files.ts';
import { guardedFiles } from './guarded-files.ts';
import { keptDescriptors } from './kept-descriptors.ts';
import { FILE_MAX_BYTES, liveFiles } from './live-host.ts';

const folder = mkdtempSync(join(tmpdir(), 'herakles-files-'));
after(() => rmSync(folder, { recursive: true }));

const SLEEP: ProcessText = {
  pid: 7,
  comm: 'a) (b\n\xff',
  memory: { rss: 400 },
  exe: '/usr/bin/a\n b',
  argv: ['a', '\\x41'],
};
const KTHREAD: ProcessText = { pid: 2, comm: 'kthreadd', ppid: 0, kernelThread: true };
const LONG = 'x'.repeat(20_000);
const frame = new Map(
  frameOf({ uptime: 123_45 }, [KTHREAD, SLEEP, { pid: 4_194_304, comm: 'last', memory: {}, cgroup: LONG }]),
);

/** The frame as a folder laid out like a root with /proc; what failed is not there. */
function layOut(root: string): void {
  for (const [path, entry] of frame) {
    mkdirSync(join(root, dirname(path)), { recursive: true });
    if ('bytes' in entry) writeFileSync(join(root, path), entry.bytes);
    else if ('link' in entry) symlinkSync(entry.link, join(root, path));
  }
  mkdirSync(join(root, 'proc/1ab'));
  mkdirSync(join(root, 'proc/0'));
  mkdirSync(join(root, 'proc/sys'));
}
layOut(folder);

const reason = (read: () => unknown): string => {
  try {
    read();
  } catch (error) {
    assert.ok(error instanceof KernelFileError, String(error));
    assert.ok(error.message.includes(error.path) && error.message.includes(error.reason));
    return error.reason;
  }
  return 'read';
};

/** Every way to build KernelFiles that shows this very host. */
const builders: Record<string, () => KernelFiles | Promise<KernelFiles>> = {
  'live, descriptors kept': () => liveFiles(join(folder, 'proc')),
  'live, none kept': () => liveFiles(`${join(folder, 'proc')}/`, 0),
  'live, few kept': () => liveFiles(join(folder, 'proc'), 2),
  'live, guarded': () => guardedFiles(join(folder, 'proc'), () => performance.now() / 1000),
  'frames in memory': () => framedFiles([frame]),
  'a capture, there and back': () => framedFiles(parseCapture(formatCapture([frame], ['a remark']))),
};

for (const [what, build] of Object.entries(builders)) {
  const open = async () => {
    const files = await build();
    files.begin();
    const content = (length: number) => Buffer.from(files.buffer.slice(0, length));
    const prefetch = (proc: ProcessFiles, ...names: (ProcessFile | 'exe')[]) => {
      const requests = new FileRequests();
      for (const name of names) requests.add(proc, name);
      return files.prefetch(requests);
    };
    return { files, content, prefetch };
  };

  test(`${what}: pids are the numbers among the entries of /proc`, async () => {
    const { files } = await open();
    assert.deepEqual(
      [...files.pids()].sort((a, b) => a - b),
      [2, 7, 4_194_304],
    );
  });

  test(`${what}: requests that were cleared are not read again with later requests`, async () => {
    const { files } = await open();
    const requests = new FileRequests();
    const [one, other] = [files.process(7), files.process(4_194_304)];
    for (const proc of [one, other]) requests.add(proc, 'status');
    await files.prefetch(requests);
    requests.clear();
    requests.add(one, 'status');
    await files.prefetch(requests);
    assert.ok(one.read('status') > 0);
    if (what === 'live, guarded') assert.throws(() => other.read('status'), /was read, but not prefetched/);
  });

  test(`${what}: every file has the bytes it was given, time and again`, async () => {
    const { files, content, prefetch } = await open();
    for (const pid of [7, 4_194_304, 2]) {
      const proc = files.process(pid);
      assert.equal(proc.pid, pid);
      for (let round = 0; round < 3; round++) {
        const names = ['stat', 'statm', 'io', 'status', 'cmdline', 'cgroup'] as const;
        await prefetch(proc, ...names);
        for (const file of names) {
          if ((file === 'stat' || file === 'statm' || file === 'io') && proc.unchanged(file)) continue;
          const entry = frame.get(`proc/${pid}/${file}`)!;
          assert.deepEqual(content(proc.read(file)), 'bytes' in entry && Buffer.from(entry.bytes), `${pid} ${file}`);
        }
        if (round === 1) proc.close();
      }
      proc.close();
    }
    for (const path of ['proc/stat', 'proc/uptime', 'proc/pressure/memory', 'etc/passwd']) {
      const entry = frame.get(path)!;
      assert.deepEqual(content(files.read(path)), 'bytes' in entry && Buffer.from(entry.bytes), path);
    }
  });

  test(`${what}: reads off the main thread give the same bytes, and leave the buffer alone`, async () => {
    const { files, content } = await open();
    const length = files.read('proc/uptime');
    const before = content(length);
    const entry = frame.get('proc/7/smaps_rollup')!;
    const bytes = await files.process(7).readLater('smaps_rollup');
    assert.deepEqual(Buffer.from(bytes), 'bytes' in entry && Buffer.from(entry.bytes));
    assert.deepEqual(content(length), before);
    await assert.rejects(files.process(2).readLater('smaps_rollup'), {
      name: 'KernelFileError',
      reason: /^(?:gone|unsupported)$/,
    });
    await assert.rejects(files.process(9999).readLater('stat'), { reason: 'gone' });
  });

  test(`${what}: a file of no process is "gone", one that a process lacks may be "unsupported"; the error names it`, async () => {
    const { files, prefetch } = await open();
    const [there, kernelThread, nobody] = [files.process(7), files.process(2), files.process(9999)];
    await prefetch(there, 'exe');
    assert.equal(there.exe(), SLEEP.exe);
    const missing: [() => unknown, path: RegExp, proc?: ProcessFiles, file?: ProcessFile | 'exe'][] = [
      [() => kernelThread.exe(), /proc\/2\/exe/, kernelThread, 'exe'],
      [() => kernelThread.read('smaps_rollup'), /proc\/2\/smaps_rollup/, kernelThread, 'smaps_rollup'],
      [() => nobody.read('stat'), /proc\/9999\/stat/, nobody, 'stat'],
      [() => nobody.read('status'), /proc\/9999\/status/, nobody, 'status'],
      [() => files.read('proc/nothing'), /proc\/nothing/],
    ];
    for (const [read, path, proc, file] of missing) {
      if (proc && file) await prefetch(proc, file);
      if (file === 'smaps_rollup') assert.match(String(reason(read)), /^(?:gone|unsupported)$/);
      else assert.equal(reason(read), 'gone');
      assert.throws(read, path);
    }
  });
}

test('of a process whose first thread has ended, a living thread is read, and another one when that ends', () => {
  const root = mkdtempSync(join(folder, 'threads-'));
  const put = (path: string, text: string) => {
    mkdirSync(join(root, 'proc/5', dirname(path)), { recursive: true });
    writeFileSync(join(root, 'proc/5', path), text);
  };
  for (const file of ['stat', 'io', 'status', 'cmdline']) put(file, `first ${file}`);
  put('statm', '0 0 0 0 0 0 0\n');
  const ended = Array.from({ length: 200 }, (_, index) => 6 + index);
  for (const thread of [5, ...ended]) put(`task/${thread}/statm`, '0 0 0 0 0 0 0\n');
  for (const thread of [300, 400]) {
    for (const file of ['stat', 'io', 'status', 'cmdline']) put(`task/${thread}/${file}`, `${thread} ${file}`);
    put(`task/${thread}/statm`, `9 ${thread} 1 0 0 0 0\n`);
    symlinkSync(`/bin/${thread}`, join(root, `proc/5/task/${thread}/exe`));
  }
  const files = liveFiles(join(root, 'proc'));
  const proc = files.process(5);
  const text = (file: ProcessFile) => textOf(files, proc.read(file)).trimEnd();
  assert.equal(text('statm'), '0 0 0 0 0 0 0');
  proc.leaderEnded!(true);
  // A search looks at a bounded number of threads, and the next one goes on.
  const searches = Array.from({ length: 5 }, () => text('statm'));
  assert.deepEqual(searches, [...Array(3).fill('0 0 0 0 0 0 0'), ...Array(2).fill('9 300 1 0 0 0 0')]);
  assert.deepEqual(
    [text('cmdline'), text('status'), text('stat'), text('io'), proc.exe()],
    ['300 cmdline', '300 status', 'first stat', 'first io', '/bin/300'],
  );
  rmSync(join(root, 'proc/5/task/300'), { recursive: true });
  assert.deepEqual([text('cmdline'), proc.exe()], ['400 cmdline', '/bin/400']);
  put('task/400/statm', '0 0 0 0 0 0 0\n');
  assert.equal(text('cmdline'), 'first cmdline', 'nobody is left');
  put('statm', '1 1 1 0 0 0 0\n');
  proc.leaderEnded!(false);
  assert.equal(text('statm'), '1 1 1 0 0 0 0');
  proc.close();
});

test('the real /proc: this very process in every way of reading it', async () => {
  for (const files of [liveFiles(), liveFiles('/proc', 0)]) {
    const pids = [...files.pids()];
    assert.ok(pids.includes(process.pid));
    assert.equal(new Set(pids).size, pids.length);
    const own = files.process(process.pid);
    for (const file of PROCESS_FILES) if (file !== 'smaps') assert.ok(own.read(file) > 0, file);
    assert.equal(own.read('smaps'), 0, 'it shares no huge pages');
    assert.equal((await own.readLater('smaps')).length, 0);
    assert.equal(own.exe(), readlinkSync('/proc/self/exe'));
    assert.ok(
      Buffer.from(await own.readLater('smaps_rollup'))
        .toString()
        .includes('\nPss:'),
    );
    own.close();
    assert.ok(files.read('proc/uptime') > 0);
    assert.ok(files.read('etc/passwd') > 0);
  }
});

test('a kept descriptor answers "gone" after its process ended, also when the pid is used again', async () => {
  const child = execFileSync('sh', ['-c', 'sleep 60 >/dev/null 2>&1 & echo $!']).toString().trim();
  const files = liveFiles();
  const sleeping = files.process(Number(child));
  assert.ok(sleeping.read('stat') > 0);
  process.kill(Number(child), 'SIGKILL');
  for (const end = Date.now() + 5000; reason(() => sleeping.read('stat')) === 'read'; ) {
    const state = Buffer.from(files.buffer.slice(0, 100)).toString().split(') ')[1]?.[0];
    if (state === 'Z') break; // its new parent does not wait for it
    assert.ok(Date.now() < end, 'it is still there');
  }
  sleeping.close();
});

const openDescriptors = () => readdirSync('/proc/self/fd').length;

test('descriptors: no more than allowed, all closed in the end, none lost in a failure', () => {
  const before = openDescriptors();
  const files = liveFiles(join(folder, 'proc'), 4);
  const processes = [2, 7, 4_194_304, 9999].map((pid) => files.process(pid));
  const readAll = () => {
    for (const proc of processes) for (const file of PROCESS_FILES) reason(() => proc.read(file));
  };
  for (let round = 0; round < 5; round++) readAll();
  assert.equal(openDescriptors(), before + 4);
  for (const proc of processes) proc.close();
  for (const proc of processes) proc.close();
  assert.equal(openDescriptors(), before);
  readAll();
  assert.equal(openDescriptors(), before + 4, 'the room given back is used again');
  for (const proc of processes) proc.close();
});

test('where descriptors run short, those of statm are closed first', () => {
  const before = openDescriptors();
  const files = liveFiles(join(folder, 'proc'), 6);
  const processes = [2, 7, 4_194_304].map((pid) => files.process(pid));
  const kept = () => {
    const open = readdirSync('/proc/self/fd').map((fd) => {
      const path = `/proc/self/fd/${fd}`;
      return existsSync(path) ? readlinkSync(path) : '';
    });
    const ours = open.filter((path) => path.startsWith(folder)).map((path) => path.split('/').at(-1)!);
    return ours.sort().join(' ');
  };
  const readAll = (some: readonly ProcessFiles[]) => {
    for (const proc of some) for (const file of PROCESS_FILES) reason(() => proc.read(file));
  };
  readAll(processes.slice(0, 2));
  assert.equal(kept(), 'io io stat stat statm statm');
  readAll(processes);
  assert.equal(kept(), 'io io io stat stat stat');
  processes[1]!.close();
  readAll([processes[0]!]);
  assert.equal(kept(), 'io io stat stat statm', 'and come back when there is room');
  for (const proc of processes) proc.close();
  assert.equal(openDescriptors(), before);
});

test('how many descriptors are kept for which limit', () => {
  assert.deepEqual([256, 1024, 8192, 20_000, 65_536].map(keptDescriptors), [128, 512, 4096, 15_000, 20_000]);
});

test('a FIFO, a folder or a file too long in place of a kernel file: an error or a value, at once', async () => {
  const root = mkdtempSync(join(folder, 'odd-'));
  mkdirSync(join(root, 'proc/5/cgroup'), { recursive: true });
  for (const name of ['stat', 'smaps_rollup', 'cmdline']) execFileSync('mkfifo', [join(root, 'proc/5', name)]);
  writeFileSync(join(root, 'proc/5/status'), LONG.repeat(50));
  writeFileSync(join(root, 'proc/meminfo'), '');
  const files = liveFiles(join(root, 'proc'));
  const odd = files.process(5);
  const began = Date.now();
  assert.notEqual(
    reason(() => odd.read('stat')),
    'gone',
  );
  assert.equal(odd.read('cmdline'), 0);
  assert.equal((await odd.readLater('smaps_rollup')).length, 0);
  assert.equal(
    reason(() => odd.read('cgroup')),
    'unsupported',
  );
  await assert.rejects(odd.readLater('cgroup'), { reason: 'unsupported' });
  assert.equal(odd.read('status'), FILE_MAX_BYTES);
  assert.equal(files.read('proc/meminfo'), 0);
  assert.ok(Date.now() - began < 2000);
  odd.close();
});

test('denied is denied', { skip: process.getuid?.() === 0 && 'root may read everything' }, () => {
  const root = mkdtempSync(join(folder, 'denied-'));
  mkdirSync(join(root, 'proc/5'), { recursive: true });
  writeFileSync(join(root, 'proc/5/io'), '');
  chmodSync(join(root, 'proc/5/io'), 0);
  assert.equal(
    reason(() => liveFiles(join(root, 'proc')).process(5).read('io')),
    'denied',
  );
});

test('no procfs at all', () => {
  assert.equal(
    reason(() => [...liveFiles(join(folder, 'nowhere')).pids()]),
    'gone',
  );
  assert.equal(
    reason(() => [...liveFiles(join(folder, 'etc/passwd')).pids()]),
    'gone',
  );
});

test('a table that the kernel gives in pieces is read to its end', () => {
  const files = liveFiles();
  assert.ok(files.read('proc/kallsyms') > 100_000, 'each read gives some page of lines');
});

test('a process that ends while the kernel lists it hides no other process', (t) => {
  const { readSync } = Dir.prototype;
  let listed = 0;
  t.mock.method(Dir.prototype, 'readSync', function (this: Dir) {
    if (listed === 2) throw Object.assign(new Error('ENOENT'), { code: 'ENOENT', syscall: 'lstat' });
    const entry = readSync.call(this);
    if (/^\d+$/.test(entry?.name ?? '')) listed++;
    return entry;
  });
  const pids = [...liveFiles().pids()];
  assert.equal(listed, 2);
  assert.ok(pids.includes(process.pid) && pids.includes(process.ppid));
  assert.equal(new Set(pids).size, pids.length, 'each is listed once');
});
