// The live page of a host with 10,000 processes in one subgroup: all of them can be reached, and only those in the window
// are elements. The host is a capture, so that the test costs no processes.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { cpuSeconds } from '../bench/machine.ts';
import { live, startBrowser, URGENT } from './browser.ts';
import { eventually, need, root, type Scope, scratch } from './harness.ts';
import { sendRequest, serve } from './web-server.ts';

const PROCESSES = 10_000;
const FIRST_PID = 20_000;
/** Pages are opened so often: on a busy machine the fastest says what the page itself takes. */
const ROUNDS = 3;
/** In the page: milliseconds from the request to the first picture and until now, and the size of the HTML. */
const PAINTED = `({
  paint: Math.round(performance.getEntriesByName('first-contentful-paint')[0].startTime),
  live: Math.round(performance.now()),
  bytes: performance.getEntriesByType('navigation')[0].decodedBodySize,
})`;
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

/** An exporter of that host, and the subgroup in which the many are. */
async function serveMany(t: Scope, wrap: readonly string[] = []) {
  const server = await serve(
    t,
    '',
    [...['--capture', captureOfMany()], '--interval', '1h', '--cache-ttl', '1h'],
    process.execPath,
    wrap,
  );
  await eventually(async () => assert.equal((await sendRequest(`${server.url}/-/ready`)).status, 200), 60_000);
  const { groups } = JSON.parse((await sendRequest(`${server.url}/api/v1/groups`)).body);
  const { group, subgroup } = groups.find(({ processes }: { processes: number }) => processes >= PROCESSES);
  return { server, group: String(group), subgroup: String(subgroup) };
}

test('the first picture of a page of ten thousand processes is there within a second', async (t) => {
  const tools = need(t, 'chromium');
  if (!tools) return;
  const { server, group, subgroup } = await serveMany(t, URGENT);
  const open = await startBrowser(t, tools.chromium, -20);
  const paths = ['/', `/groups?${new URLSearchParams({ group, subgroup })}`, `/processes?pid=${FIRST_PID}`];
  for (const path of paths) {
    const painted: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const { page } = await open({ viewport: { width: 1280, height: 900 } });
      const session = await page.context().newCDPSession(page);
      await session.send('Performance.enable');
      const before = cpuSeconds(server.pid);
      await page.goto(server.url + path);
      await live(page);
      const used = Math.round((cpuSeconds(server.pid) - before) * 1000);
      const { paint, ...seen } = await page.evaluate<{ paint: number; live: number; bytes: number }>(PAINTED);
      const { metrics } = await session.send('Performance.getMetrics');
      const busy = metrics.find(({ name }) => name === 'TaskDuration')!.value * 1000;
      painted.push(paint);
      t.diagnostic(
        `${path}: first picture after ${paint} ms, live after ${seen.live} ms; ${seen.bytes} bytes of HTML; ` +
          `CPU: ${used} ms of the exporter, ${Math.round(busy)} ms of the page`,
      );
      await page.context().close();
    }
    assert.ok(Math.min(...painted) < 1000, `${path}: ${painted} ms`);
  }
});

test('ten thousand processes scroll, sort and filter as a hundred do', async (t) => {
  const tools = need(t, 'chromium');
  if (!tools) return;
  const { server, group, subgroup } = await serveMany(t, URGENT);
  const { page, said } = await (await startBrowser(t, tools.chromium, -20))({ viewport: { width: 1280, height: 900 } });
  await page.goto(`${server.url}/groups?${new URLSearchParams({ group, subgroup, sort: 'rss' })}`);
  await live(page);
  await page.evaluate(`globalThis.tasks = []; new PerformanceObserver((list) => {
    for (const { duration, startTime } of list.getEntries()) tasks.push(Math.round(startTime) + ':' + Math.round(duration));
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
  const tasks = await page.evaluate<string[]>('tasks');
  t.diagnostic(`tasks over 50 ms: ${tasks.join(', ')}`);
  assert.deepEqual(said, []);
});
