// The live page of a host with 10,000 processes in one subgroup: all of them can be reached, and only those in the window
// are elements. The host is a capture, so that the test costs no processes.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { live, startBrowser } from './browser.ts';
import { eventually, need, root, scratch } from './harness.ts';
import { sendRequest, serve } from './web-server.ts';

const PROCESSES = 10_000;
const FIRST_PID = 20_000;
const FILES = ['stat', 'statm', 'status', 'cmdline', 'cgroup'];

/** A capture of one host with many copies of one of its processes, each of another size. */
function captureOfMany(): string {
  const entries = readFileSync(`${root}test/captures/linux-6.18.capture`, 'latin1').split(
    /^(?=file |bytes |link |failed )/m,
  );
  const host = entries.filter((entry) => !/^\w+ proc\/\d/.test(entry));
  const model = entries.filter((entry) => FILES.some((file) => entry.split(/\s/, 2)[1] === `proc/18843/${file}`));
  assert.equal(model.length, FILES.length);
  const copies = Array.from({ length: PROCESSES }, (_, index) => {
    const pid = String(FIRST_PID + index);
    return model
      .map((entry) => entry.replaceAll('18843', pid))
      .map((entry) => entry.replace(/^(file proc\/\d+\/statm\n \d+) \d+/, `$1 ${500 + index}`))
      .join('');
  });
  const path = `${scratch()}/many.capture`;
  writeFileSync(path, [...host, ...copies].join(''), 'latin1');
  return path;
}

test('ten thousand processes scroll, sort and filter as a hundred do', async (t) => {
  const tools = need(t, 'chromium');
  if (!tools) return;
  const server = await serve(t, '', ['--capture', captureOfMany(), '--interval', '1h', '--cache-ttl', '1h']);
  await eventually(async () => assert.equal((await sendRequest(`${server.url}/-/ready`)).status, 200), 60_000);
  const { groups } = JSON.parse((await sendRequest(`${server.url}/api/v1/groups`)).body);
  const { group, subgroup } = groups.find(({ processes }: { processes: number }) => processes >= PROCESSES);
  const { page, said } = await (await startBrowser(t, tools.chromium))({ viewport: { width: 1280, height: 900 } });
  await page.goto(`${server.url}/groups?${new URLSearchParams({ group, subgroup, sort: 'rss' })}`);
  await live(page);
  await page.evaluate(`globalThis.tasks = []; new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) tasks.push(Math.round(duration));
  }).observe({ type: 'longtask' })`);
  await page.getByRole('button', { name: /^of 10,000: show all/ }).click();
  const count = page.locator('.tools [role=status]');
  await eventually(async () => assert.equal(await count.textContent(), String(PROCESSES)));
  const first = page.locator('table.rows tbody a').first();
  const largest = FIRST_PID + PROCESSES - 1;
  assert.match((await first.getAttribute('href')) ?? '', new RegExp(`pid=${largest}`));
  const rows = () => page.locator('table.rows tbody tr').count();
  assert.ok((await rows()) < 300, `${await rows()} rows are elements`);
  await page.evaluate('scrollTo(0, document.body.scrollHeight)');
  const last = page.locator(`table.rows a[href$="pid=${FIRST_PID}"]`);
  await last.waitFor();
  assert.ok((await rows()) < 300, `${await rows()} rows are elements at the end`);
  await page.evaluate('scrollTo(0, document.body.scrollHeight / 2)');
  await last.waitFor({ state: 'detached' });
  await page.evaluate('scrollTo(0, 0)');
  await page.getByRole('button', { name: 'RSS' }).click();
  await last.waitFor();
  await page.locator('input.filter').fill(String(largest));
  await eventually(async () => assert.equal(await count.textContent(), `1 of ${PROCESSES}`));
  t.diagnostic(`tasks over 50 ms: ${await page.evaluate('tasks.join(", ")')}`);
  assert.deepEqual(said, []);
});
