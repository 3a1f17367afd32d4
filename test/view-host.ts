// Views of a host whose processes are given by a few numbers, for tests of sums, of kinds and of the selection of series.

import { segmentReadingOf } from '../src/footprint/huge-segments.ts';
import { framedFiles } from '../src/kernel/capture.ts';
import type { ProcessFiles } from '../src/kernel/files.ts';
import { readMemory } from '../src/kernel/host-memory.ts';
import type { HugeSegment } from '../src/kernel/huge-mappings.ts';
import { GroupCountersTable } from '../src/process/group-counters.ts';
import { Process } from '../src/process/process.ts';
import type { Identity } from '../src/rules/identity.ts';
import { kindColumns, ProcessRows } from '../src/view/process-rows.ts';
import { Readings } from '../src/view/readings.ts';
import { type ProcessView, summarise } from '../src/view/view.ts';

export interface Given {
  readonly pid: number;
  readonly group?: string;
  readonly subgroup?: string;
  readonly name?: string;
  readonly state?: string;
  readonly rss?: number;
  readonly pss?: number;
  readonly uss?: number;
  readonly swap?: number;
  readonly shared?: number;
  readonly rssShmem?: number;
  /** PSS by kind at the measurement; huge pages that it maps, and those of them that are its own. */
  readonly anonymous?: number;
  readonly file?: number;
  readonly shmem?: number;
  readonly hugetlb?: number;
  readonly virtualSize?: number;
  readonly ownHugetlb?: number;
  /** Of which segments its shared huge pages are; undefined: smaps was not read. */
  readonly segments?: readonly HugeSegment[] | undefined;
  readonly pageTables?: number;
  readonly threads?: number;
  readonly measuredSwap?: number;
  readonly swapPss?: number;
  readonly swapEntries?: number;
  readonly usage?: number;
  readonly time?: number;
  readonly sampled?: number;
  /** When the measurement was confirmed; as sampled unless given. */
  readonly confirmed?: number;
  readonly absent?: boolean;
  /** Bytes that it read and wrote, as last known; and whether io may not be read any more. */
  readonly io?: number;
  readonly ioDenied?: boolean;
  readonly kernelThread?: boolean;
  readonly startTime?: number;
  /** Pid of the process whose address space it uses; a larger one and a zombie are ignored. */
  readonly spaceOf?: number;
}

export const NOW = 5000;

/** Views of the processes of a host; the counters of groups continue from one to the next. */
export class Host {
  readonly counters = new GroupCountersTable();
  readonly #seen = new Map<number, number>();

  view(
    given: readonly Given[],
    { total = 2 ** 32, kernelThreads = false, kernelStack = 0, hugetlbUsed = 0, memory: more = {} } = {},
  ): ProcessView {
    const rows = new ProcessRows();
    const processes = given.map((one) => this.#process(one));
    for (const [index, { spaceOf }] of given.entries()) {
      const parent = processes.find(({ pid }) => pid === spaceOf);
      if (!parent || parent.pid >= processes[index]!.pid || parent.zombie) continue;
      Object.assign(processes[index]!.sharing, { forkedFrom: parent });
      Object.assign(processes[index]!.memory, parent.memory);
      Object.assign(processes[index]!.measurement, { anonymous: 1, sharedAnonymous: 0 });
    }
    const nothing = readMemory(framedFiles([new Map()]), 4096, 2);
    const memory = {
      ...nothing,
      total,
      free: 0,
      kernelStacks: kernelStack,
      hugetlb: hugetlbUsed,
      hugetlbFree: 0,
      ...more,
    };
    const host = { memory, bootTime: 0, forks: 0, cpus: 2 };
    rows.reset(processes.length, kindColumns);
    const work = summarise(
      processes,
      this.counters,
      rows,
      host,
      { kernelThreads, processKinds: true, freshFor: 300 },
      NOW,
    );
    let step = work.next();
    while (!step.done) step = work.next();
    const { groups, oldestMeasurement, excess, books, stack } = step.value;
    const footprints = {
      reads: { ok: 0, gone: 0, denied: 0, unsupported: 0, malformed: 0, hung: 0 },
      seconds: 0,
      deferred: 0,
    };
    const about = {
      seen: given.length,
      hung: [],
      source: { name: 'procfs' as const, problem: undefined },
      unreadable: [],
      oomKills: 'off' as const,
      footprints,
      oldestMeasurement,
      measuredExcess: excess,
    };
    const readings = new Readings(framedFiles([new Map()]), []);
    return { at: NOW, host, books, readings, rows, groups, cgroups: undefined, stack, ...about };
  }

  #process(given: Given): Process {
    const { pid, group = 'db', subgroup = group, name = 'p', state = 'S', rss = 4096, pss = Number.NaN } = given;
    const proc = new Process({ pid } as ProcessFiles, 1, given.kernelThread ?? false);
    const identity: Identity = { name, exe: '', argv: [], user: '', unit: '', container: '', podUid: '' };
    const description = {
      pid,
      identity,
      group,
      subgroup,
      rule: 'r',
      startTime: given.startTime ?? 1000 + pid,
      labels: '',
      infoLabels: '',
    };
    const counters = this.counters.of(group, subgroup);
    const user = given.time ?? 0;
    Object.assign(proc.membership, { description, counters });
    Object.assign(proc.stat, {
      state: state.charCodeAt(0),
      threads: given.threads ?? 1,
      absent: given.absent ?? false,
      virtualSize: given.virtualSize ?? 0,
      user,
    });
    Object.assign(proc.usage, { percent: given.usage ?? Number.NaN });
    counters.creditReaped({ user: user - (this.#seen.get(pid) ?? 0), system: 0, readBytes: 0, writeBytes: 0 });
    this.#seen.set(pid, user);
    if (proc.zombie || proc.kernelThread) return proc;
    const { io = Number.NaN } = given;
    Object.assign(proc.io, { readBytes: io, writeBytes: io });
    if (given.ioDenied) Object.assign(proc.unreadable, { reasons: new Map([['io', 'denied']]) });
    Object.assign(proc.memory, { rss, shared: given.shared ?? 0 });
    const rssShmem = given.rssShmem ?? Number.NaN;
    Object.assign(proc.footprint, { rssShmem, pss, uss: given.uss ?? pss, swap: given.swap ?? 0 });
    const { hugetlb = Number.NaN, pageTables = Number.NaN, ownHugetlb = 0 } = given;
    const { anonymous = Number.NaN, file = Number.NaN, shmem = 0, measuredSwap = 0, swapPss = 0 } = given;
    const swappedShared = measuredSwap - (given.swapEntries ?? measuredSwap);
    Object.assign(proc.footprint, { hugetlb, pageTables, swappedShared });
    const parts = { pss: anonymous + file + shmem, anonymous, shmem, hugetlb: ownHugetlb, swap: measuredSwap, swapPss };
    const at = given.sampled ?? NOW;
    if (pss >= 0) Object.assign(proc.measurement, { at, confirmed: given.confirmed ?? at, rss, ...parts });
    const { segments: list } = given;
    if (list) Object.assign(proc.measurement, { segments: segmentReadingOf(proc, list, 0, NOW) });
    return proc;
  }
}
