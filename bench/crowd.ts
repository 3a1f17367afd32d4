// Finds what breaks first with 100,000 processes on one host. Our machines cannot run so many processes, so the exporter's own
// code runs over a host in memory: it parses real kernel text, collects, selects, encodes and compresses. The time that the
// kernel takes is added by arithmetic: the time for one process, as docs/performance.md gives it, times their number.
//   node --expose-gc --import tsx --import ./scripts/toml-loader.mjs bench/crowd.ts [10000 100000]
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import { catalogue } from '../catalogue/index.ts';
import { Agent } from '../src/agent/agent.ts';
import { defaults } from '../src/config/options.ts';
import { KernelFileError, type KernelFiles, type ProcessFile, type ProcessFiles } from '../src/kernel/files.ts';
import { parseCatalogue } from '../src/rules/rule-parser.ts';
import { hostEntries, processEntries } from '../test/kernel-text.ts';
import { median } from './machine.ts';

/** Between two collections, one process of this many runs. */
const BUSY_EVERY = 20;
/** How many processes each program has. */
const PROCESSES_PER_PROGRAM = 200;
const COLLECTIONS = 8;
/** What the kernel takes, microseconds: docs/performance.md, 2,000 processes. */
const KERNEL = { readKept: 10, openAndClose: 16, listed: 0.6, smaps: 90 };
const KEPT_DESCRIPTORS = 20_000;
const FILES = ['stat', 'io', 'statm'];
const SMAPS_MAX_AGE = 300;

/** A host in memory. Before each collection another twentieth of its processes has run (#isBusy). */
class Crowd implements KernelFiles {
  buffer = new Uint8Array(1 << 20);
  readonly hung: readonly number[] = [];
  readonly #count: number;
  readonly #listed: boolean;
  #collection = 0;
  changed: { pids: Uint32Array; length: number } | undefined;

  /** @param listed whether it is known which processes ran, as with the BPF program */
  constructor(count: number, listed: boolean) {
    this.#count = count;
    this.#listed = listed;
  }

  begin(): void {
    this.#collection++;
    if (!this.#listed || this.#collection === 1) return;
    const pids = Uint32Array.from(this.pids()).filter((pid) => this.#isBusy(pid));
    this.changed = { pids, length: pids.length };
  }

  async prefetch(): Promise<void> {}

  *pids(): Generator<number> {
    for (let pid = 1; pid <= this.#count; pid++) yield pid;
  }

  #isBusy(pid: number): boolean {
    return (pid + this.#collection) % BUSY_EVERY === 0;
  }

  process(pid: number): ProcessFiles {
    let taken = false;
    const entry = (name: string) => {
      const memory = { rss: 4096 + (pid % 100) * 4, pss: 3000, file: 1024, pssAnon: 2500, pssFile: 500 };
      const comm = `program-${Math.floor(pid / PROCESSES_PER_PROGRAM)}`;
      const text = {
        pid,
        comm,
        memory,
        exe: `/usr/bin/${comm}`,
        user: Math.floor((pid + this.#collection) / BUSY_EVERY),
      };
      const found = new Map(processEntries({ ...text, cgroup: `0::/system.slice/${comm}.service\n` })).get(
        `proc/${pid}/${name}`,
      );
      if (!found || 'failed' in found) throw new KernelFileError(`proc/${pid}/${name}`, 'gone');
      return found;
    };
    const bytes = (file: ProcessFile): Uint8Array => {
      const found = entry(file);
      return 'bytes' in found ? found.bytes : new Uint8Array(0);
    };
    return {
      pid,
      unchanged: () => taken && !this.#isBusy(pid),
      read: (file) => {
        if (file === 'stat') taken = true;
        return this.#fill(bytes(file));
      },
      readLater: async (file) => bytes(file),
      exe() {
        const found = entry('exe');
        return 'link' in found ? found.link : '';
      },
      close() {},
    };
  }

  read(path: string): number {
    const uptime = 1_000_000 + this.#collection * 1500;
    const found = new Map(hostEntries({ uptime, forks: 1000, memTotal: 1 << 30 })).get(path);
    if (!found || !('bytes' in found)) throw new KernelFileError(path, 'gone');
    return this.#fill(found.bytes);
  }

  #fill(bytes: Uint8Array): number {
    this.buffer.set(bytes);
    return bytes.length;
  }
}

const gc = globalThis.gc ?? (() => {});
const cpuMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

/** Collects and serves some times. @returns a line of the table */
async function measure(
  count: number,
  listed: boolean,
  per_process: 'all' | 'none',
  max_series: number,
): Promise<string> {
  gc();
  const heapBefore = process.memoryUsage().heapUsed + process.memoryUsage().external;
  const config = { ...defaults, per_process, max_series, cache_ttl: 3600, history: 0, log_level: 'error' } as const;
  const setup = { config, origins: {}, rules: [], catalogue: parseCatalogue(catalogue) };
  const agent = new Agent(new Crowd(count, listed), { version: 'crowd', revision: '' }, setup, async () => setup);
  const firstBegan = performance.now();
  await agent.collect();
  const first = performance.now() - firstBegan;
  const collected: number[] = [];
  const served: number[] = [];
  let page = { bytes: 0, series: 0 };
  const stalls = monitorEventLoopDelay({ resolution: 2 });
  for (let round = 0; round < COLLECTIONS; round++) {
    if (round === COLLECTIONS / 2) stalls.enable(); // by then V8 has compiled what runs often
    let began = cpuMs();
    await agent.collect();
    collected.push(cpuMs() - began);
    began = cpuMs();
    const { pieces, series } = await agent.metrics('text', true, 100);
    served.push(cpuMs() - began);
    page = { bytes: pieces.reduce((sum, { length }) => sum + length, 0), series };
    await pause(10);
  }
  stalls.disable();
  const dropped = [...(agent.snapshot?.dropped ?? [])].map(([what, series]) => `${series} of ${what}`).join(', ');
  agent.stop();
  gc();
  const heap = process.memoryUsage().heapUsed + process.memoryUsage().external - heapBefore;
  const half = (values: number[]) => median(values.slice(COLLECTIONS / 2)).toFixed(0);
  const cells = [
    ...[count.toLocaleString('en'), listed ? 'BPF' : 'procfs', per_process, (first / 1000).toFixed(1)],
    ...[half(collected), half(served), page.series.toLocaleString('en'), (page.bytes / 2 ** 20).toFixed(1)],
    ...[dropped || '–', (stalls.max / 1e6).toFixed(0), (heap / 2 ** 20).toFixed(0)],
  ];
  return `| ${cells.join(' | ')} |`;
}

/** What the kernel takes beside it, by what one process takes. */
function kernelLines(count: number): string[] {
  const kept = Math.min(1, KEPT_DESCRIPTORS / (FILES.length * count));
  const files = (count * (KERNEL.readKept + (1 - kept) * KERNEL.openAndClose)) / 1e6;
  return [
    `files of ${count.toLocaleString('en')} processes by /proc: ${files.toFixed(1)} s a collection, descriptors for ${(100 * kept).toFixed(0)} % of them`,
    `the list: ${((count * KERNEL.listed) / 1e3).toFixed(0)} ms a collection, ${((count * 192) / 2 ** 20).toFixed(0)} MiB, and 72 bytes for each further thread`,
    `smaps_rollup of each every ${SMAPS_MAX_AGE} s: ${((count * KERNEL.smaps) / SMAPS_MAX_AGE / 1e4).toFixed(1)} % of a core`,
  ];
}

const counts = process.argv.slice(2).map(Number);
console.log(
  '| Processes | Source | per_process | first collection s | collection CPU ms | page CPU ms | series | page MiB, gzip | left out | stall ms | heap MiB |',
);
console.log('|---|---|---|---|---|---|---|---|---|---|---|');
for (const count of counts.length > 0 ? counts : [10_000, 100_000]) {
  console.log(await measure(count, true, 'none', defaults.max_series));
  console.log(await measure(count, false, 'none', defaults.max_series));
  console.log(await measure(count, true, 'all', defaults.max_series));
  if (count > 10_000) console.log(await measure(count, true, 'all', 10_000_000));
}
for (const count of counts.length > 0 ? counts : [100_000]) for (const line of kernelLines(count)) console.log(line);
process.exit(0);
