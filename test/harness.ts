// Runs the built bundle and real children for the end-to-end tests, and ends all of them with the test.
// A test waits by eventually(), never by sleeping for a guessed time. Prometheus is in prometheus-server.ts.
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { ensure } from '../scripts/test-servers.mjs';
import { Exposition } from './exposition-text.ts';

export const root = new URL('..', import.meta.url).pathname;
export const bundle = `${root}dist/herakles.cjs`;
export const nobody = 65534;

/** What lives as long as a test: its context, and anything else with an `after`. */
export type Scope = { after(fn: () => void | Promise<void>): void };

const groups = new Set<number>();
const folders: string[] = [];
process.on('exit', () => {
  for (const pid of groups) killGroup(pid);
  for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});
// A test file that gets a signal cleans up as well: only an orderly exit runs the above.
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => process.exit(1));

function killGroup(pid: number): void {
  groups.delete(pid);
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {} // it has ended by itself
}

/**
 * The paths of the servers that a test drives. Where one is missing the test is skipped and says which; with CI set it
 * fails. A server of a newer suite that is out of reach is missing from the answer, and a line says so.
 */
export function need<Name extends string>(t: TestContext, ...names: Name[]): Record<Name, string> | undefined {
  try {
    return ensure(...names);
  } catch (error) {
    if (process.env.CI) throw error;
    t.skip((error as Error).message);
    return undefined;
  }
}

/** Whether this is root. Where it is not, the test is skipped; with CI set it fails. */
export function needRoot(t: TestContext): boolean {
  if (process.getuid?.() === 0) return true;
  if (process.env.CI) throw new Error('this test needs root');
  t.skip('needs root');
  return false;
}

/** Calls fn until it throws no more, and gives its result. When the time is over its last error is thrown. */
export async function eventually<T>(fn: () => T | Promise<T>, timeoutMs = 30_000, everyMs = 100): Promise<T> {
  for (const end = Date.now() + timeoutMs; ; ) {
    try {
      return await fn();
    } catch (error) {
      if (Date.now() > end) throw error;
    }
    await pause(everyMs);
  }
}

/** A folder that anybody may enter and that is gone when the test file has run. */
export function scratch(uid?: number): string {
  const dir = mkdtempSync(join(tmpdir(), 'herakles-'));
  folders.push(dir);
  chmodSync(dir, 0o755);
  if (uid !== undefined) chownSync(dir, uid, uid);
  return dir;
}

export function near(actual: number | undefined, expected: number, tolerance: number, what: string): void {
  assert.ok(actual !== undefined, `${what} is missing`);
  assert.ok(Math.abs(actual - expected) <= tolerance, `${what}: ${actual}, not ${expected} ± ${tolerance}`);
}

/** Writes a file that is watched: its reader never sees it half written. */
export function replace(path: string, text: string | Buffer): void {
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}

/** A port of 127.0.0.1 that nobody listens on. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    const port = 15_000 + Math.floor(Math.random() * 17_000);
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(freePort()) : reject(error),
    );
    server.listen(port, () => server.close(() => resolve(port)));
  });
}

/** A process of the test, leader of its own group. */
export class Started {
  stdout = '';
  stderr = '';
  readonly pid: number;
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  #child: ChildProcess;

  constructor(t: Scope, command: string[], options: { uid?: number; gid?: number; env?: object; cwd?: string } = {}) {
    const [file, ...args] = command as [string, ...string[]];
    const { env = {}, ...rest } = options;
    const child = spawn(file, args, {
      ...rest,
      env: { PATH: process.env.PATH, LC_ALL: 'C.UTF-8', ...env } as NodeJS.ProcessEnv,
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
    });
    this.#child = child;
    this.pid = child.pid ?? 0;
    child.stdout.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    child.stdin.on('error', () => {}); // it may end before it reads
    this.ended = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => resolve({ code, signal }));
    });
    this.ended.catch(() => {});
    if (this.pid > 0) groups.add(this.pid);
    t.after(() => this.kill());
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null && this.pid > 0;
  }

  /** Writes one line to its standard input. */
  say(line: string): void {
    this.#child.stdin?.write(`${line}\n`);
  }

  /** To the whole group, so that it also reaches what unshare or nsenter has forked. */
  signal(name: NodeJS.Signals): void {
    process.kill(-this.pid, name);
  }

  /** Ends the whole group, at once. */
  async kill(): Promise<void> {
    if (this.pid === 0) return;
    killGroup(this.pid);
    await this.ended;
  }

  /** The words after `word` on the nth line that starts with it. */
  async line(word: string, nth = 0, timeoutMs = 60_000): Promise<string[]> {
    return eventually(
      () => {
        const lines = this.stdout.split('\n').slice(0, -1);
        const found = lines.filter((line) => line.startsWith(`${word} `))[nth];
        if (!found) throw new Error(`no line '${word}' number ${nth + 1} in: ${this.stdout}${this.stderr}`);
        return found.split(' ').slice(1);
      },
      this.running ? timeoutMs : 0,
      20,
    );
  }
}

/** The bundle while it serves. */
export class Exporter extends Started {
  readonly port: number;
  readonly url: string;

  constructor(t: Scope, port: number, command: string[], options: { uid?: number; env?: object; cwd?: string }) {
    super(t, command, options);
    this.port = port;
    this.url = `http://127.0.0.1:${port}`;
  }

  /** One scrape, parsed. */
  async scrape(path = '/metrics'): Promise<Exposition> {
    const response = await fetch(this.url + path);
    const text = await response.text();
    if (response.status !== 200) throw new Error(`${path}: ${response.status} ${text}`);
    return new Exposition(text);
  }

  /** Asks it to end and says how it did, and how long it took. */
  async stop(name: NodeJS.Signals = 'SIGTERM') {
    const began = performance.now();
    this.signal(name);
    const end = await this.ended;
    return { ...end, seconds: (performance.now() - began) / 1000 };
  }
}

export type ExporterOptions = {
  args?: string[];
  uid?: number;
  env?: Record<string, string>;
  cwd?: string;
  /** The Node.js that runs it; this one when left out. */
  node?: string;
  /** A command that ends in running its arguments, such as unshare. */
  wrap?: string[];
};

/** The command line of the bundle, copied where the user who runs it cannot reach the original. */
function commandOf({ uid, node = process.execPath, wrap = [] }: ExporterOptions): string[] {
  if (!existsSync(bundle)) throw new Error('dist/herakles.cjs is missing: npm run build');
  if (uid === undefined && wrap.length === 0) return [node, bundle];
  const dir = scratch();
  copyFileSync(bundle, `${dir}/herakles.cjs`);
  const reaches = spawnSync(node, ['--version'], { uid: uid ?? nobody }).status === 0;
  if (!reaches) copyFileSync(node, `${dir}/node`);
  return [...wrap, reaches ? node : `${dir}/node`, `${dir}/herakles.cjs`];
}

/** Where counters come from, where the environment of the tests says it: bpf-truth.e2e.ts runs other tests so. */
function sourceOfTests(): Record<string, string> {
  const { HERAKLES_SOURCE: source, HERAKLES_BPF_FILE: file } = process.env;
  return source && file ? { HERAKLES_SOURCE: source, HERAKLES_BPF_FILE: file } : {};
}

/** Starts the bundle in an empty folder on a free port of 127.0.0.1 and waits until it is ready. */
export async function startExporter(t: Scope, options: ExporterOptions = {}): Promise<Exporter> {
  const { args = [], uid, env = {}, cwd = scratch() } = options;
  const port = await freePort();
  const command = [...commandOf(options), '--bind', '127.0.0.1', '--port', String(port), ...args];
  const identity = uid === undefined ? {} : { uid, gid: uid };
  const exporter = new Exporter(t, port, command, { ...identity, cwd, env: { HOME: cwd, ...sourceOfTests(), ...env } });
  await eventually(
    async () => {
      if (!exporter.running) throw new Error(`the exporter ended: ${exporter.stderr}`);
      const response = await fetch(`${exporter.url}/-/ready`);
      if (response.status !== 200) throw new Error(`/-/ready: ${response.status} ${exporter.stderr}`);
    },
    60_000,
    50,
  );
  return exporter;
}

/** Runs the bundle to its end. */
export async function runBundle(t: Scope, args: string[], options: ExporterOptions = {}) {
  const { uid, env = {}, cwd = scratch() } = options;
  const identity = uid === undefined ? {} : { uid, gid: uid };
  const run = new Started(t, [...commandOf(options), ...args], { ...identity, cwd, env: { HOME: cwd, ...env } });
  const timer = setTimeout(() => void run.kill(), 60_000);
  const { code, signal } = await run.ended;
  clearTimeout(timer);
  return { code, signal, stdout: run.stdout, stderr: run.stderr };
}

const compiledPrograms = new Map<string, string>();

/**
 * A program of test/children/, compiled when its source is newer, as a copy of this test file's own: a rule for its path
 * catches no child of another run on the same machine.
 */
export function childProgram(name = 'child'): string {
  const known = compiledPrograms.get(name);
  if (known) return known;
  const source = `${root}test/children/${name}.c`;
  const compiled = `${root}.cache/${name}`;
  if (!existsSync(compiled) || statSync(compiled).mtimeMs <= statSync(source).mtimeMs) {
    mkdirSync(dirname(compiled), { recursive: true });
    const fresh = `${compiled}.${process.pid}`;
    execFileSync(ensure('cc').cc, ['-O1', '-pthread', '-Wall', '-Wextra', '-Werror', '-o', fresh, source]);
    renameSync(fresh, compiled);
  }
  const copy = `${scratch()}/${name}`;
  copyFileSync(compiled, copy);
  compiledPrograms.set(name, copy);
  return copy;
}

/** A rule file: each mode of a program of test/children/ is a subgroup of the group. @returns its path */
export function childRules(group: string, modes: readonly string[], program = 'child'): string {
  const file = `${scratch()}/subgroups.toml`;
  const rule = (mode: string) =>
    `[[rule]]\ngroup = "${group}"\nsubgroup = "${mode}"\ncomm = "hk-${mode}"\nexe = "${childProgram(program)}"\n`;
  writeFileSync(file, modes.map(rule).join('\n'));
  return file;
}

/** Starts one mode of child.c and waits until it is set up; `pids` are those it names. */
export async function startChildren(t: Scope, ...mode: (string | number)[]): Promise<Started & { pids: number[] }> {
  const child = new Started(t, [childProgram(), ...mode.map(String)]);
  const pids = (await child.line('ready')).map(Number);
  return Object.assign(child, { pids });
}
