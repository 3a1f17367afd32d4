// Kernel files as Linux writes them, for tests. A value that a test leaves out is that of a quiet host of 4 GiB.
// A host of these entries is a Frame, so that it can be read, recorded and served like any other.
import type { CapturedFile, Frame } from '../src/kernel/capture.ts';
import type { ProcessFile } from '../src/kernel/files.ts';

export interface Stat {
  readonly pid: number;
  /** Text is taken as latin1, a byte a character. */
  readonly comm?: string | Uint8Array;
  readonly state?: string;
  readonly ppid?: number;
  readonly kernelThread?: boolean;
  readonly minorFaults?: number;
  readonly majorFaults?: number;
  /** Clock ticks. */
  readonly user?: number;
  readonly system?: number;
  readonly childrenUser?: number;
  readonly childrenSystem?: number;
  readonly threads?: number;
  readonly startTicks?: number;
  /** Bytes. */
  readonly virtualSize?: number;
  /** Pages. */
  readonly roughRss?: number;
  readonly startStack?: number;
}

const latin1 = (text: string | Uint8Array): Uint8Array =>
  typeof text === 'string' ? Buffer.from(text, 'latin1') : text;

/** /proc/<pid>/stat with all of its 52 fields (proc(5), Linux 6.18). */
export function statText(s: Stat): Buffer {
  const flags = s.kernelThread ? 2129984 : 4194304;
  const rest = [
    ...[s.state ?? 'S', s.ppid ?? 1, s.pid, s.pid, 0, -1, flags, s.minorFaults ?? 0, 0, s.majorFaults ?? 0, 0],
    ...[s.user ?? 0, s.system ?? 0, s.childrenUser ?? 0, s.childrenSystem ?? 0, 20, 0, s.threads ?? 1, 0],
    ...[
      s.startTicks ?? 100,
      s.virtualSize ?? 3133440,
      s.roughRss ?? 418,
      '18446744073709551615',
      94082016337920,
      94082016357801,
    ],
    ...[s.startStack ?? 140731381885264, 0, 0, 0, 0, 0, 0, 0, 0, 0, 17, 1, 0, 0, 0, 0, 0, 94082016373808],
    ...[94082016375424, 94082226372608, 140731381889759, 140731381889779, 140731381889779, 140731381891051, 0],
  ];
  return Buffer.concat([Buffer.from(`${s.pid} (`), latin1(s.comm ?? 'sleep'), Buffer.from(`) ${rest.join(' ')}\n`)]);
}

/** Memory in kB. */
export interface Memory {
  readonly rss?: number;
  readonly pss?: number;
  readonly anonymous?: number;
  readonly pssAnon?: number;
  readonly pssFile?: number;
  readonly pssShmem?: number;
  readonly privateClean?: number;
  readonly privateDirty?: number;
  readonly privateHugetlb?: number;
  readonly sharedHugetlb?: number;
  readonly swap?: number;
  readonly swapPss?: number;
  readonly file?: number;
  readonly shmem?: number;
  readonly pageTables?: number;
}

export function statmText({ rss = 1024, file = 0, shmem = 0 }: Memory): Buffer {
  return Buffer.from(`${rss} ${rss / 4} ${(file + shmem) / 4} 12 0 99 0\n`);
}

export function rollupText(m: Memory): Buffer {
  const lines = [
    ...[
      ['Rss', m.rss ?? 1024],
      ['Pss', m.pss ?? 512],
      ['Pss_Dirty', 0],
      ['Pss_Anon', m.pssAnon ?? 0],
      ['Pss_File', m.pssFile ?? 0],
      ['Pss_Shmem', m.pssShmem ?? 0],
    ],
    ...[
      ['Shared_Clean', 0],
      ['Shared_Dirty', 0],
      ['Private_Clean', m.privateClean ?? 0],
    ],
    ...[
      ['Private_Dirty', m.privateDirty ?? 256],
      ['Referenced', 0],
      ['Anonymous', m.anonymous ?? m.pssAnon ?? 0],
      ['KSM', 0],
      ['Shared_Hugetlb', m.sharedHugetlb ?? 0],
    ],
    ...[
      ['Private_Hugetlb', m.privateHugetlb ?? 0],
      ['Swap', m.swap ?? 0],
      ['SwapPss', m.swapPss ?? m.swap ?? 0],
      ['Locked', 0],
    ],
  ];
  const head = '5624b539f000-7ffcaabff000 ---p 00000000 00:00 0                          [rollup]\n';
  return Buffer.from(
    head + lines.map(([name, kB]) => `${`${name}:`.padEnd(16)}${String(kB).padStart(8)} kB\n`).join(''),
  );
}

/** Kernel threads and zombies have no line about memory. */
export function statusText(name: string, uid: number, memory?: Memory): Buffer {
  const {
    rss = 1024,
    file = 0,
    shmem = 0,
    swap = 0,
    pageTables = 48,
    privateHugetlb = 0,
    sharedHugetlb = 0,
  } = memory ?? {};
  const kB = (key: string, value: number) => `${key}:\t${String(value).padStart(8)} kB\n`;
  const lines = [kB('VmRSS', rss), kB('RssAnon', rss - file - shmem), kB('RssFile', file), kB('RssShmem', shmem)];
  const about = memory
    ? `${lines.join('')}${kB('VmPTE', pageTables)}${kB('VmSwap', swap)}${kB('HugetlbPages', privateHugetlb + sharedHugetlb)}`
    : '';
  return Buffer.from(
    `Name:\t${name}\nUmask:\t0022\nState:\tS (sleeping)\nUid:\t${uid}\t${uid}\t${uid}\t${uid}\n${about}Threads:\t1\nvoluntary_ctxt_switches:\t150\nnonvoluntary_ctxt_switches:\t545\n`,
  );
}

/** The lines around the one that is read, and that one. */
export const limitsText = (openFiles: number | string = 1024): Buffer =>
  Buffer.from(
    'Limit                     Soft Limit           Hard Limit           Units     \n' +
      'Max processes             96365                96365                processes \n' +
      `Max open files            ${String(openFiles).padEnd(20)} 524288               files     \n` +
      'Max locked memory         8388608              8388608              bytes     \n',
  );

export const ioText = (readBytes = 0, writeBytes = 0): Buffer =>
  Buffer.from(
    `rchar: 6976\nwchar: 0\nsyscr: 10\nsyscw: 0\nread_bytes: ${readBytes}\nwrite_bytes: ${writeBytes}\ncancelled_write_bytes: 0\n`,
  );

export interface HostText {
  /** Hundredths of a second since boot. */
  readonly uptime?: number;
  readonly forks?: number;
  /** kB. */
  readonly memTotal?: number;
  readonly swapTotal?: number;
  readonly swapFree?: number;
}

export const uptimeText = (hundredths: number): Buffer =>
  Buffer.from(`${Math.floor(hundredths / 100)}.${String(hundredths % 100).padStart(2, '0')} 5555.55\n`);

const file = (bytes: Uint8Array | string): CapturedFile => ({ bytes: Buffer.from(bytes) });

/** What a host says of itself. */
export function hostEntries(host: HostText = {}): [string, CapturedFile][] {
  const { uptime = 100_000, forks = 1000, memTotal = 4 << 20, swapTotal = 0, swapFree = 0 } = host;
  const meminfo = `MemTotal: ${memTotal} kB\nMemFree: 1000 kB\nMemAvailable: 2000 kB\nSwapTotal: ${swapTotal} kB\nSwapFree: ${swapFree} kB\n`;
  const pressure = (kind: string, total: number) => `${kind} avg10=0.00 avg60=0.00 avg300=0.00 total=${total}\n`;
  return [
    [
      'proc/stat',
      file(`cpu  1 2 3\ncpu0 1 2 3\ncpu1 1 2 3\nintr 5\nbtime 1700000000\nprocesses ${forks}\nprocs_running 1\n`),
    ],
    ['proc/uptime', file(uptimeText(uptime))],
    ['proc/meminfo', file(meminfo)],
    ['proc/pressure/memory', file(pressure('some', 1_500_000) + pressure('full', 250_000))],
    ['etc/passwd', file('root:x:0:0:root:/root:/bin/bash\nme:x:1000:1000::/home/me:/bin/sh\n')],
  ];
}

export interface ProcessText extends Stat {
  /** Absent for kernel threads and zombies. */
  readonly memory?: Memory;
  readonly uid?: number;
  readonly exe?: string;
  readonly argv?: readonly string[];
  readonly cgroup?: string;
  readonly io?: readonly [readBytes: number, writeBytes: number];
  readonly oomScore?: number;
  /** Open descriptors, and the most there may be. */
  readonly fds?: readonly [open: number, most: number];
}

const commOf = (p: ProcessText): string => Buffer.from(latin1(p.comm ?? 'sleep')).toString('latin1');
const GONE: CapturedFile = { failed: 'gone' };

/** What this program reads of one process, each file made when it is asked for: a simulated machine is asked often. */
const PROCESS_ENTRIES: Readonly<Record<ProcessFile | 'exe', (p: ProcessText) => CapturedFile>> = {
  stat: (p) => file(statText({ roughRss: (p.memory?.rss ?? 1024) / 4, ...p })),
  statm: (p) => file(p.memory ? statmText(p.memory) : '0 0 0 0 0 0 0\n'),
  io: (p) => file(ioText(...(p.io ?? []))),
  status: (p) => file(statusText(commOf(p), p.uid ?? 0, p.memory)),
  smaps_rollup: (p) => (p.memory ? file(rollupText(p.memory)) : GONE),
  cmdline: (p) => file((p.argv ?? (p.memory ? [commOf(p)] : [])).map((argument) => `${argument}\0`).join('')),
  cgroup: (p) => file(p.cgroup ?? '0::/\n'),
  oom_score: (p) => file(`${p.oomScore ?? 666}\n`),
  fd: (p) => file(`${p.fds?.[0] ?? 3}\n`),
  limits: (p) => file(limitsText(p.fds?.[1])),
  smaps: (p) => (p.memory ? file('') : GONE),
  exe: (p) => (p.memory ? { link: p.exe ?? `/usr/bin/${commOf(p)}` } : GONE),
};

/** One file of a process. */
export const processEntry = (p: ProcessText, name: ProcessFile | 'exe'): CapturedFile => PROCESS_ENTRIES[name](p);

/** All that this program reads of one process. */
export const processEntries = (p: ProcessText): [string, CapturedFile][] =>
  Object.entries(PROCESS_ENTRIES).map(([name, entryOf]) => [`proc/${p.pid}/${name}`, entryOf(p)]);

/** A whole host. */
export const frameOf = (host: HostText, processes: readonly ProcessText[]): Frame =>
  new Map([...hostEntries(host), ...processes.flatMap(processEntries)]);
