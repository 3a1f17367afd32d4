// Ten live pages that are open at once: what they cost the exporter, and whether a scrape waits for them. Both are measured
// with all pages seen and with all hidden, in turns, on a machine that may do much else.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { cpuSeconds, median, scrape } from '../bench/machine.ts';
import { live, startBrowser, URGENT } from './browser.ts';
import { eventually, need, startChildren } from './harness.ts';
import { sendRequest, serve } from './web-server.ts';

const TABS = 10;
const TURNS = 2;
const TURN_SECONDS = 16;
/** The promise is 2 %, and no time for a scrape: what it is here is printed. A busy machine may need twice as much. */
const SHARE_MAX = 4;
/** Pause between two scrapes. Most are answered from the newest snapshot, as those of a second Prometheus are. */
const SCRAPE_EVERY_MS = 250;

/** In the page: what a browser does when its tab is hidden or shown again. */
const setHidden = (hidden: boolean) =>
  `Object.defineProperty(document, 'hidden', { value: ${hidden}, configurable: true });
   document.dispatchEvent(new Event('visibilitychange'))`;

test('ten open pages take little of a core, and a scrape takes no longer', { timeout: 600_000 }, async (t) => {
  const tools = need(t, 'chromium', 'cc');
  if (!tools) return;
  await startChildren(t, 'fleet', 200, 8, 256, 'tabs');
  const server = await serve(t, '', ['--interval', '15s'], process.execPath, URGENT);
  await eventually(async () => assert.equal((await sendRequest(`${server.url}/-/ready`)).status, 200));
  const open = await startBrowser(t, tools.chromium, -10); // the exporter goes before it
  const tabs = await Promise.all(Array.from({ length: TABS }, () => open({ viewport: { width: 1280, height: 900 } })));
  for (const { page } of tabs) {
    await page.goto(server.url);
    await live(page);
  }
  const seen = { cpu: [] as number[], seconds: [] as number[], requests: 0 };
  const hidden = { cpu: [] as number[], seconds: [] as number[], requests: 0 };
  const requests = () => tabs.reduce((sum, { requests }) => sum + requests.length, 0);
  for (let turn = 0; turn < 2 * TURNS; turn++) {
    const taken = turn % 2 === 0 ? hidden : seen;
    await Promise.all(tabs.map(({ page }) => page.evaluate(setHidden(taken === hidden))));
    await pause(2000); // a round that was under way ends
    const [began, used, asked] = [performance.now(), cpuSeconds(server.pid), requests()];
    while (performance.now() - began < TURN_SECONDS * 1000) {
      taken.seconds.push((await scrape(`${server.url}/metrics`)).seconds);
      await pause(SCRAPE_EVERY_MS);
    }
    taken.cpu.push((cpuSeconds(server.pid) - used) / ((performance.now() - began) / 1000));
    taken.requests += requests() - asked;
  }
  assert.ok(hidden.requests <= TABS, `${hidden.requests} requests of hidden pages`);
  assert.ok(seen.requests >= TABS * TURNS, `${seen.requests} requests of pages that are seen`);
  const cost = (median(seen.cpu) - median(hidden.cpu)) * 100;
  const [with10, without] = [seen, hidden].map(({ seconds }) => median(seconds) * 1000) as [number, number];
  t.diagnostic(`${cost.toFixed(2)} % of a core for ${TABS} pages with ${seen.requests} requests`);
  t.diagnostic(`a scrape: ${with10.toFixed(2)} ms with them, ${without.toFixed(2)} ms without`);
  assert.ok(cost <= SHARE_MAX, `${cost} % of a core`);
  assert.ok(with10 <= 2 * without + 5, `a scrape takes ${with10} ms, not ${without} ms`);
});
