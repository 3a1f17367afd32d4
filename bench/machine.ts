// Shared by all benchmarks: programs to start and end, scrapes, and the CPU time and memory that the kernel counts for them.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { request } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';

export const root = new URL('..', import.meta.url).pathname;
export const bundle = `${root}dist/herakles.cjs`;

/** CPU time of all threads of a process and of its living children so far, in seconds (proc(5), task/<tid>/schedstat). */
export function cpuSeconds(pid: number): number {
  let nanoseconds = 0;
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    nanoseconds += Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'latin1').split(' ')[0]);
  }
  return nanoseconds / 1e9 + childrenOf(pid).reduce((sum, child) => sum + cpuSeconds(child), 0);
}

/** Living children of all threads (proc(5), /proc/<pid>/task/<tid>/children). */
export function childrenOf(pid: number): number[] {
  const tasks = readdirSync(`/proc/${pid}/task`);
  const lists = tasks.map((task) => readFileSync(`/proc/${pid}/task/${task}/children`, 'latin1'));
  return lists.join(' ').split(/\s+/).filter(Boolean).map(Number);
}

export interface Memory {
  readonly rss: number;
  readonly anonymous: number;
  /** A page that several processes share counts in parts: it falls when more programs of Node run. */
  readonly pss: number;
  readonly peak: number;
}

/**
 * Memory in bytes of a process and its living children, from /proc/<pid>/status and smaps_rollup. To `rss` a child adds only
 * its anonymous memory: the pages of the program are those of its parent.
 */
export function memoryOf(pid: number): Memory {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  const bytes = (key: string): number => Number(new RegExp(`^${key}:\\s+(\\d+)`, 'm').exec(status)?.[1]) * 1024;
  const pss = Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1'))?.[1]) * 1024;
  const children = childrenOf(pid).flatMap((child) => memoryOfChild(child) ?? []);
  const anonymous = children.reduce((sum, child) => sum + child.anonymous, 0);
  return {
    rss: bytes('VmRSS') + anonymous,
    anonymous: bytes('RssAnon') + anonymous,
    pss: children.reduce((sum, child) => sum + child.pss, pss),
    peak: bytes('VmHWM') + anonymous,
  };
}

/** Undefined where it has ended meanwhile. */
function memoryOfChild(pid: number): Memory | undefined {
  try {
    return memoryOf(pid);
  } catch (error) {
    if (existsSync(`/proc/${pid}`)) throw error;
    return undefined;
  }
}

/** A program that a benchmark starts. Its whole process group ends with it. */
export class Program {
  readonly pid: number;
  stdout = '';
  stderr = '';
  readonly #child: ChildProcess;

  constructor(command: string, args: readonly string[]) {
    // The same values as in the systemd unit, the image and npm start.
    const malloc = { MALLOC_ARENA_MAX: '1', MALLOC_MMAP_THRESHOLD_: '4096', MALLOC_TRIM_THRESHOLD_: '65536' };
    // A service has no such variable; with it Node.js parses a hundred certificates when it starts, 1 MiB.
    const env = { ...process.env, NODE_EXTRA_CA_CERTS: undefined, ...malloc };
    this.#child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], detached: true, env });
    this.pid = this.#child.pid!;
    this.#child.stdout!.on('data', (data) => {
      this.stdout += data;
    });
    this.#child.stderr!.on('data', (data) => {
      this.stderr += data;
    });
  }

  /** Writes a line to its standard input. */
  say(line: string): void {
    this.#child.stdin!.write(`${line}\n`);
  }

  /** Waits until it has printed a text. @throws if it ends before, or does not print it in time */
  async printed(text: string, timeoutSeconds = 60): Promise<void> {
    for (let left = timeoutSeconds * 20; left > 0; left--) {
      if (this.stdout.includes(text) || this.stderr.includes(text)) return;
      if (this.#child.exitCode !== null) throw new Error(`ended early: ${this.stderr}`);
      await pause(50);
    }
    throw new Error(`never printed ${text}: ${this.stderr}`);
  }

  async end(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('close', resolve));
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      process.kill(-this.pid, 'SIGKILL');
      await ended;
    }
  }
}

const child = `${root}.cache/child`;

/** Path of the child program, which allocates known memory. It is compiled if its source is newer. */
export function childProgram(): string {
  const source = `${root}test/children/child.c`;
  mkdirSync(`${root}.cache`, { recursive: true });
  if (!existsSync(child) || statSync(child).mtimeMs < statSync(source).mtimeMs) {
    execFileSync('cc', ['-O2', '-o', child, source], { stdio: 'inherit' });
  }
  return child;
}

export interface Scrape {
  readonly seconds: number;
  readonly bytes: number;
  readonly status: number;
}

/** Scrapes like Prometheus: gzip, text 0.0.4. */
export function scrape(url: string): Promise<Scrape> {
  const began = performance.now();
  return new Promise((resolve, reject) => {
    const headers = { accept: 'text/plain;version=0.0.4', 'accept-encoding': 'gzip' };
    request(url, { headers }, (response) => {
      let bytes = 0;
      response.on('data', (data: Buffer) => {
        bytes += data.length;
      });
      response.on('end', () =>
        resolve({ seconds: (performance.now() - began) / 1000, bytes, status: response.statusCode! }),
      );
    })
      .on('error', reject)
      .end();
  });
}

/** The text of a page. */
export async function text(url: string): Promise<string> {
  return (await fetch(url)).text();
}

/** Waits until an exporter answers: on a large fleet and a busy machine a peer takes more than half a minute to begin. */
export async function answers(url: string): Promise<void> {
  for (let left = 1200; left > 0; left--) {
    try {
      if ((await fetch(url)).ok) return;
    } catch {}
    await pause(100);
  }
  throw new Error(`${url} never answered`);
}

/** @param share 0 to 1: 0.5 is the median */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);
