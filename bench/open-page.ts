// Leaves the live page open for a long time, in a real browser, while processes and groups come and go. Does the page grow?
// Each tab shows another view: the host, a group, all processes of a subgroup, one process. Once a minute the browser frees
// what nothing holds; what is left is the page's: bytes of its script, elements and listeners. The exporter's memory and CPU
// stand beside.
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { type Browser, type CDPSession, chromium } from 'playwright-core';
import { freePort } from '../test/harness.ts';
import { answers, bundle, childProgram, cpuSeconds, memoryOf, Program } from './machine.ts';

/** What one view holds at one moment. */
export interface Held {
  /** Bytes of living objects of its script. */
  readonly heap: number;
  readonly nodes: number;
  readonly listeners: number;
}

/** What a view held after its first minute, at the end, and at most. */
export interface Growth {
  readonly view: string;
  readonly first: Held;
  readonly last: Held;
  readonly heapMost: number;
}

export interface OpenPage {
  readonly minutes: number;
  readonly views: readonly Growth[];
  /** Resident memory of the exporter in bytes, after the first minute and at the end. */
  readonly exporterFirst: number;
  readonly exporterLast: number;
  /** Share of one core that the exporter took: 0.01 is 1 %. */
  readonly cpu: number;
  /** Faults that the pages reported. */
  readonly said: readonly string[];
}

/** The number of subgroups. Every few seconds the processes of one end, and those of the next begin. */
const SUBGROUPS = 7;
const PROCESSES = 200;
const TURN_SECONDS = 5;

/** Processes of one subgroup end, those of the next begin, until it is stopped. */
class Turns {
  #fleet: Program | undefined;
  #stopped = false;
  readonly #done = this.#run();

  async #run(): Promise<void> {
    for (let turn = 0; !this.#stopped; turn++) {
      await this.#fleet?.end();
      this.#fleet = new Program(childProgram(), ['fleet', String(PROCESSES), '8', '256', `turn${turn % SUBGROUPS}`]);
      await pause(TURN_SECONDS * 1000);
    }
    await this.#fleet?.end();
  }

  async end(): Promise<void> {
    this.#stopped = true;
    await this.#done;
  }
}

async function openTabs(browser: Browser, views: Readonly<Record<string, string>>, said: string[]) {
  const sessions: (readonly [view: string, session: CDPSession])[] = [];
  for (const [view, address] of Object.entries(views)) {
    const page = await (await browser.newContext({ viewport: { width: 1280, height: 900 } })).newPage();
    page.on('console', (message) => said.push(`${view}: ${message.text()}`));
    page.on('pageerror', (error) => said.push(`${view}: ${error.message}`));
    await page.goto(address);
    await page.locator('.live main').waitFor({ timeout: 60_000 });
    const session = await page.context().newCDPSession(page);
    await session.send('Performance.enable');
    sessions.push([view, session]);
  }
  return sessions;
}

async function heldBy(session: CDPSession): Promise<Held> {
  await session.send('HeapProfiler.collectGarbage');
  const { metrics } = await session.send('Performance.getMetrics');
  const of = (name: string): number => metrics.find((metric) => metric.name === name)!.value;
  return { heap: of('JSHeapUsedSize'), nodes: of('Nodes'), listeners: of('JSEventListeners') };
}

/** @param browserPath of Chromium */
export async function openPage(minutes: number, browserPath: string, log: (line: string) => void): Promise<OpenPage> {
  const folder = mkdtempSync(`${tmpdir()}/herakles-open-page-`);
  const program = `${folder}/herakles.cjs`;
  copyFileSync(bundle, program); // a build meanwhile does not change what is measured
  const rules = Array.from({ length: SUBGROUPS + 1 }, (_, n) =>
    n < SUBGROUPS ? ['turns', `turn${n}`, `turn${n}`] : ['held', 'held', 'held'],
  ).map(([group, subgroup, comm]) => `[[rule]]\ngroup = "${group}"\nsubgroup = "${subgroup}"\ncomm = "${comm}*"\n`);
  writeFileSync(`${folder}/rules.toml`, rules.join('\n'));
  const url = `http://127.0.0.1:${await freePort()}`;
  const flags = ['--web.listen-address', url.slice('http://'.length), '--subgroups', `${folder}/rules.toml`];
  const exporter = new Program(process.execPath, [program, ...flags, '--interval', '15s', '--process-info']);
  const held = new Program(childProgram(), ['fleet', '100', '8', '1024', 'held']);
  const turns = new Turns();
  const browser = await chromium.launch({ executablePath: browserPath, args: ['--no-sandbox', '--disable-gpu'] });
  const measured = new Map<string, Held[]>();
  const memory: number[] = [];
  const said: string[] = [];
  try {
    await answers(`${url}/-/ready`);
    const addresses = {
      host: `${url}/`,
      group: `${url}/groups?group=turns`,
      processes: `${url}/groups?group=held&subgroup=held`,
      process: `${url}/processes?pid=${exporter.pid}`,
    };
    const tabs = await openTabs(browser, addresses, said);
    const [began, used] = [performance.now(), cpuSeconds(exporter.pid)];
    for (let minute = 1; minute <= minutes; minute++) {
      await pause(began + minute * 60_000 - performance.now());
      for (const [view, session] of tabs) measured.set(view, [...(measured.get(view) ?? []), await heldBy(session)]);
      memory.push(memoryOf(exporter.pid).rss);
      const line = [...measured].map(([view, held]) => `${view} ${(held.at(-1)!.heap / 1e6).toFixed(2)} MB`);
      log(`${minute} min: ${line.join(', ')}, exporter ${(memory.at(-1)! / 2 ** 20).toFixed(1)} MiB`);
    }
    const cpu = (cpuSeconds(exporter.pid) - used) / (minutes * 60);
    const views = [...measured].map(([view, held]) => ({
      ...{ view, first: held[0]!, last: held.at(-1)! },
      heapMost: Math.max(...held.map(({ heap }) => heap)),
    }));
    return { minutes, views, exporterFirst: memory[0]!, exporterLast: memory.at(-1)!, cpu, said };
  } finally {
    await browser.close();
    await turns.end();
    for (const each of [held, exporter]) await each.end();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** For each view, what it held after the first minute and at the end. */
export function growthTable({ views, exporterFirst, exporterLast, cpu, said }: OpenPage): string {
  const lines = ['| View | heap MB: first minute / last / largest | elements | listeners |', '|---|---|---|---|'];
  for (const { view, first, last, heapMost } of views) {
    const heaps = [first.heap, last.heap, heapMost].map((bytes) => (bytes / 1e6).toFixed(2)).join(' / ');
    lines.push(`| ${view} | ${heaps} | ${first.nodes} → ${last.nodes} | ${first.listeners} → ${last.listeners} |`);
  }
  const [from, to] = [exporterFirst, exporterLast].map((bytes) => (bytes / 2 ** 20).toFixed(1));
  lines.push('', `exporter: ${from} → ${to} MiB, ${(cpu * 100).toFixed(2)} % of a core; ${said.length} messages`);
  return lines.join('\n');
}
