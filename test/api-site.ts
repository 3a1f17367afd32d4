// An exporter of a host in memory that answers URLs of the API, for tests: its processes are given for each collection.
import type { IncomingMessage } from 'node:http';
import type { TestContext } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { Agent } from '../src/agent/agent.ts';
import { type Config, defaults } from '../src/config/options.ts';
import { framedFiles } from '../src/kernel/capture.ts';
import { KERNEL_LOG } from '../src/kernel/kernel-log.ts';
import { parseRules } from '../src/rules/rule-parser.ts';
import { RecentPages } from '../src/server/recent-pages.ts';
import { ReloadRequests } from '../src/server/reload-requests.ts';
import { respond, routeOf } from '../src/server/routes.ts';
import { frameOf, type ProcessText } from './kernel-text.ts';

/** Memory of a process with this RSS, half of it PSS. */
export const kB = (rss: number, more = {}) => ({ rss, pss: rss / 2, pssAnon: rss / 2, privateDirty: rss / 4, ...more });
const UNIT = '0::/system.slice/a.service\n';
const CONTAINER = `0::/docker/${'ab'.repeat(32)}\n`;
export const PROCESSES: readonly ProcessText[] = [
  { pid: 2, comm: 'kthreadd', kernelThread: true, startTicks: 1 },
  { pid: 11, comm: 'postgres', memory: kB(8000, { swap: 10 }), user: 5, startTicks: 300 },
  { pid: 12, comm: 'postgres', memory: kB(4000), user: 9, startTicks: 200 },
  { pid: 21, comm: 'stranger', memory: kB(6000), cgroup: UNIT, argv: ['stranger', '--password=hunter2'], uid: 1000 },
  { pid: 22, comm: 'boxed', memory: kB(100), cgroup: CONTAINER, startTicks: 400, state: 'R' },
];

const MEMINFO = {
  bytes: Buffer.from(
    'MemTotal: 4194304 kB\nMemFree: 1000 kB\nMemAvailable: 2000 kB\nSwapTotal: 1000 kB\nSwapFree: 500 kB\nAnonPages: 9000 kB\nMapped: 50 kB\n',
  ),
};

const KILL = '3,1,5,-;Out of memory: Killed process 12 (postgres) total-vm:1kB\n';

/** Each collection comes 15 seconds after the one before. */
export function site(
  t: TestContext,
  changes: Partial<Config> = {},
  frames: (readonly ProcessText[])[] = [PROCESSES, PROCESSES],
) {
  const setup = {
    config: { ...defaults, log_level: 'error' as const, declared_groups: ['web/nginx'], ...changes },
    origins: {},
    rules: parseRules({ rule: [{ group: 'db', subgroup: 'postgres', comm: 'postgres' }] }, './rules.toml'),
    catalogue: parseRules({ rule: [{ group: 'web', subgroup: 'nginx', comm: 'nginx' }] }, 'catalogue/web.toml'),
  };
  const files = framedFiles(
    frames.map((processes, index) =>
      new Map(frameOf({ uptime: 100_000 + 1500 * index, forks: index }, processes))
        .set('proc/meminfo', MEMINFO)
        .set('proc/22/smaps_rollup', { failed: 'denied' })
        .set(KERNEL_LOG, { bytes: Buffer.from(index > 1 ? KILL : '') })
        .set('proc/vmstat', { bytes: Buffer.from(`nr_free_pages 1\noom_kill ${index > 1 ? 3 : 1}\n`) }),
    ),
  );
  let load: () => Promise<typeof setup> = async () => setup;
  const agent = new Agent(files, { version: '1', revision: 'r' }, setup, () => load());
  t.after(() => agent.stop());
  const context = { agent, pages: new RecentPages(agent), reloads: new ReloadRequests(() => agent.reload()) };
  const get = async (url: string, headers: Record<string, string> = {}) => {
    const path = `/api/v1/${url}`;
    const request = { url: path, method: 'GET', headers } as unknown as IncomingMessage;
    const response = await respond(context, routeOf(agent, path), request);
    const body = typeof response.body === 'string' ? Buffer.from(response.body) : Buffer.concat(response.body);
    const bytes = response.headers?.['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
    const text = bytes.toString();
    return { ...response, text, json: text.startsWith('{') ? JSON.parse(text) : undefined, sent: body };
  };
  const collect = async (times = frames.length) => {
    for (let count = 0; count < times; count++) await agent.collect();
  };
  const setLoad = (loader: () => Promise<typeof setup>) => {
    load = loader;
  };
  return { agent, get, collect, setup, setLoad };
}
