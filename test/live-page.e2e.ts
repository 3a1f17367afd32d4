// The live page in a real browser: what it shows is what the metrics say, what is clicked leads where it should, and names
// that somebody chose stay text.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type TestContext, test } from 'node:test';
import type { Page } from 'playwright-core';
import { live, startBrowser, type Tab } from './browser.ts';
import { childRules, eventually, need, scratch, startChildren } from './harness.ts';
import { sendRequest, serve } from './web-server.ts';

const hex = (text: string | Buffer) => Buffer.from(text).toString('hex');

/** An exporter with one collection that stays the newest, so that page and metrics are of the same. */
async function still(t: TestContext, args: readonly string[] = []) {
  const server = await serve(t, '', ['--interval', '1h', '--cache-ttl', '1h', '--process-info', ...args]);
  await eventually(async () => assert.equal((await sendRequest(`${server.url}/-/ready`)).status, 200));
  return server;
}

/** The rows of the table of the page: text and exact value of each cell, by the head of its column. */
const rowsOf = (page: Page): Promise<Record<string, { text: string; value: string | null }>[]> =>
  page.evaluate(`(() => {
    const table = document.querySelector('table.rows');
    const heads = [...table.querySelectorAll('thead th')].map((head) => head.textContent.replace(/[▾▴]/, ''));
    return [...table.querySelectorAll('tbody tr')].filter((row) => !row.querySelector('.gap')).map((row) =>
      Object.fromEntries([...row.children].map((cell, index) => [
        heads[index], { text: cell.textContent, value: cell.querySelector('data')?.getAttribute('value') ?? null },
      ])));
  })()`);

test('the numbers of the page are those of the metrics of the same collection', async (t) => {
  const tools = need(t, 'chromium', 'cc');
  if (!tools) return;
  await startChildren(t, 'private', 24);
  const server = await still(t, ['--subgroups', childRules('test', ['private'])]);
  const { page } = await (await startBrowser(t, tools.chromium))();
  /** What is done while no collection begins. */
  const duringOne = async <T>(fn: () => Promise<T>): Promise<T> => {
    const serial = async () => JSON.parse((await sendRequest(`${server.url}/api/v1/host`)).body).snapshot;
    return eventually(async () => {
      const before = await serial();
      const result = await fn();
      assert.equal(await serial(), before);
      return result;
    });
  };
  await page.goto(server.url);
  const [metrics, rows, processes] = await duringOne(async () => {
    await page.goto(server.url);
    await live(page);
    const groups = await rowsOf(page);
    await page.getByRole('link', { name: 'test/private' }).click();
    await page.locator('table.rows tbody .swatch + a').first().waitFor();
    await page.getByRole('columnheader', { name: 'PID' }).waitFor();
    return [await server.metrics(), groups, await rowsOf(page)];
  });
  assert.ok(rows.length >= 3, `${rows.length} groups`);
  const columns = { Footprint: 'footprint', PSS: 'pss', RSS: 'rss', Swap: 'swap' };
  for (const row of rows) {
    const [group, subgroup] = row.Group!.text.split('/') as [string, string];
    for (const [head, kind] of Object.entries(columns)) {
      const [sample] = metrics.all(`herakles_mem_group_${kind}_bytes`, { group, subgroup });
      assert.equal(row[head]!.value, sample ? String(sample.value) : null, `${head} of ${group}/${subgroup}`);
    }
  }
  assert.equal(processes.length, 1);
  assert.equal(
    processes[0]!.PID!.text,
    metrics.all('herakles_mem_process_rss_bytes', { group: 'test' })[0]!.labels.pid,
  );
  for (const kind of ['PSS', 'USS', 'RSS', 'Swap']) {
    const [sample] = metrics.all(`herakles_mem_process_${kind.toLowerCase()}_bytes`, { group: 'test' });
    assert.equal(processes[0]![kind]!.value, sample ? String(sample.value) : null, kind);
  }
  await page.goBack();
  const parts = await page.evaluate<number[]>(
    `[...document.querySelectorAll('.bar .part')].map((part) => parseFloat(part.style.width))`,
  );
  assert.ok(parts.length > 5, `${parts.length} parts`);
  const whole = parts.reduce((sum, width) => sum + width, 0);
  assert.ok(Math.abs(whole - 100) < 0.1, `the bar is ${whole} % of the memory`);
});

interface TileSeen {
  readonly bytes: number;
  readonly area: number;
}

const tilesOf = (page: Page): Promise<TileSeen[]> =>
  page.evaluate(`[...document.querySelectorAll('.treemap .tile')].map((tile) => {
    const { width, height } = tile.getBoundingClientRect();
    return { bytes: Number(tile.dataset.bytes), area: width * height };
  })`);

test('areas of the treemap are in proportion to the bytes, and clicks lead from host to process and back', async (t) => {
  const tools = need(t, 'chromium', 'cc');
  if (!tools) return;
  for (const size of [40, 20, 10]) await startChildren(t, 'private', size);
  await startChildren(t, 'burn', 1);
  const server = await still(t, ['--subgroups', childRules('test', ['private', 'burn'])]);
  const open = await startBrowser(t, tools.chromium);
  const { page, said } = await open({ viewport: { width: 1280, height: 900 } });
  await page.goto(server.url);
  await live(page);
  const proportional = async (least: number) => {
    const tiles = await tilesOf(page);
    assert.ok(tiles.length >= least, `${tiles.length} tiles`);
    const perByte = Math.max(...tiles.map(({ area }) => area)) / Math.max(...tiles.map(({ bytes }) => bytes));
    // Half a pixel at each edge is what drawing may differ.
    for (const { bytes, area } of tiles)
      assert.ok(Math.abs(area - bytes * perByte) <= 2 * Math.sqrt(area) + 1, `${bytes} bytes on ${area} pixels`);
  };
  await proportional(3);
  const tile = (name: RegExp) => page.locator('.treemap').getByRole('link', { name });
  await tile(/^test[: ]/).click();
  await page.getByRole('heading', { name: 'Footprint by subgroup' }).waitFor();
  await proportional(2);
  await tile(/^private[: ]/).click();
  await page.getByRole('heading', { name: 'Footprint by process' }).waitFor();
  await page.locator('table.rows tbody tr').nth(2).waitFor();
  await proportional(3);
  await page.locator('.treemap').getByRole('link').first().click();
  await page.getByText('Why its PSS is as old as it is').waitFor();
  const address = new URL(page.url());
  assert.match(address.pathname + address.search, /^\/processes\?.*pid=\d+/);
  const { page: other } = await open();
  await other.goto(page.url());
  await live(other);
  await other.getByText('Why its PSS is as old as it is').waitFor();
  assert.equal(await other.locator('.trail').textContent(), await page.locator('.trail').textContent());
  for (const heading of ['Footprint by process', 'Footprint by subgroup', 'Footprint by group']) {
    await page.goBack();
    await page.getByRole('heading', { name: heading }).waitFor();
  }
  assert.deepEqual(said, []);
});

test('sort order and filter stand in the address, and the keyboard reaches them', async (t) => {
  const tools = need(t, 'chromium');
  if (!tools) return;
  const server = await still(t, ['--web-telemetry-path', '/other']);
  const open = await startBrowser(t, tools.chromium);
  const { page } = await open();
  await page.goto(server.url);
  await live(page);
  assert.equal(await page.getByRole('link', { name: 'metrics' }).getAttribute('href'), './other');
  const column = async (head: string) => (await rowsOf(page)).map((row) => Number(row[head]!.value ?? Number.NaN));
  const falls = (values: number[]) => values.every((value, index) => index === 0 || !(value > values[index - 1]!));
  assert.ok(falls(await column('Footprint')), 'largest footprint first');
  await page.getByRole('button', { name: 'RSS' }).click();
  assert.ok(falls(await column('RSS')), 'largest RSS first');
  await page.getByRole('button', { name: 'RSS' }).press('Enter');
  assert.ok(falls((await column('RSS')).reverse()), 'smallest RSS first');
  assert.match(page.url(), /sort=-rss/);
  assert.equal(await page.locator('th[aria-sort="ascending"]').textContent(), 'RSS▴');
  await page.keyboard.press('/');
  await page.keyboard.type('kernel');
  assert.deepEqual(
    (await rowsOf(page)).map((row) => row.Group!.text),
    ['system/kernel'],
  );
  const { page: other } = await open();
  await other.goto(page.url());
  await live(other);
  assert.equal((await rowsOf(other)).length, 1);
  await page.keyboard.press('Escape');
  assert.ok(await page.evaluate(`document.activeElement === document.body`));
});

const markup = '<img src=x onerror=x=1>';

test('hostile names stay text on every level of the page', async (t) => {
  const tools = need(t, 'chromium', 'cc');
  if (!tools) return;
  const names = ['<img src=x onerr', '\u202egpj.exe', Buffer.from('ff80fec0e2e2f8f9fafbfcfdfeff81', 'hex')];
  for (const name of names) await startChildren(t, 'name', hex(name), 8);
  const dir = scratch();
  const rule = { group: markup, subgroup: `"><script>x=1</script>\u202e`, exe: '**/child' };
  const toml = Object.entries(rule).map(([key, value]) => `${key} = ${JSON.stringify(value)}\n`);
  writeFileSync(`${dir}/rules.toml`, `[[rule]]\n${toml.join('')}`);
  const server = await still(t, ['--subgroups', `${dir}/rules.toml`]);
  const { page, said, requests } = await (await startBrowser(t, tools.chromium))();
  const safe = async (shown: string) => {
    await page.getByText(shown).first().waitFor();
    const found = await page.evaluate(`({
      executed: 'x' in globalThis,
      elements: document.querySelectorAll('img, b, body script, [onerror]').length,
      turned: /[\u202a-\u202e\u2066-\u2069]/.test(document.body.innerText + document.title),
    })`);
    assert.deepEqual(found, { executed: false, elements: 0, turned: false }, shown);
  };
  const response = await page.goto(server.url);
  const policy = response!.headers()['content-security-policy']!;
  assert.match(policy, /default-src 'none'.*style-src 'sha256-[^ ]+' 'self'; script-src 'self'; connect-src 'self'/);
  assert.doesNotMatch(policy, /unsafe|\*|https?:|data:/);
  await live(page);
  await safe(markup);
  await page.getByRole('link', { name: markup }).last().click();
  await page.locator('table.rows tbody tr').nth(2).waitFor();
  await safe('<img src=x onerr');
  await safe('\ufffdgpj.exe');
  for (let row = 0; row < names.length; row++) {
    await page.locator('table.rows tbody a').nth(row).click();
    await page.getByText('Why its PSS is as old as it is').waitFor();
    await safe(markup);
    await page.goBack();
    await page.locator('table.rows tbody tr').nth(2).waitFor();
  }
  await page.locator('input.filter').fill(markup);
  await safe('Nothing matches the filter.');
  assert.deepEqual(said, []);
  assert.ok(!requests.some((url) => /\/x$/.test(url)), 'no image was asked for');
});

test('a declared group without a process stands in red at the top, and goes when one runs', async (t) => {
  const tools = need(t, 'chromium', 'cc');
  if (!tools) return;
  const rules = childRules('test', ['private']);
  const child = await startChildren(t, 'private', 4);
  const server = await serve(t, '', ['--interval', '1s', '--subgroups', rules, '--declared-groups', 'test/private']);
  await eventually(async () => assert.equal((await sendRequest(`${server.url}/-/ready`)).status, 200));
  const { page } = await (await startBrowser(t, tools.chromium))();
  await page.goto(server.url);
  await live(page);
  const problem = page.locator('.problems').getByText('test/private');
  assert.equal(await problem.count(), 0);
  await child.kill();
  await problem.waitFor({ timeout: 60_000 });
  assert.match((await page.locator('.state.bad').textContent()) ?? '', /problem/);
  assert.equal(await page.locator('table.rows .bad').first().textContent(), 'down');
  await startChildren(t, 'private', 4);
  await problem.waitFor({ state: 'detached', timeout: 60_000 });
});

test('an exporter that ends is a problem on its page, and no longer when it answers again', async (t) => {
  const tools = need(t, 'chromium');
  if (!tools) return;
  const server = await still(t);
  const { page } = await (await startBrowser(t, tools.chromium))();
  await page.goto(server.url);
  await live(page);
  const lost = page.locator('.problems').getByText('The exporter does not answer.');
  server.signal('SIGSTOP');
  await lost.waitFor({ timeout: 60_000 });
  assert.ok((await rowsOf(page)).length > 0, 'what was known stays');
  server.signal('SIGCONT');
  await lost.waitFor({ state: 'detached', timeout: 60_000 });
});

test('the page asks for little, and for nothing while nobody sees it', async (t) => {
  const tools = need(t, 'chromium');
  if (!tools) return;
  const server = await serve(t, '', ['--interval', '1s']);
  await eventually(async () => assert.equal((await sendRequest(`${server.url}/-/ready`)).status, 200));
  const tab: Tab = await (await startBrowser(t, tools.chromium))();
  const { page } = tab;
  await page.goto(server.url);
  await live(page);
  const before = tab.received;
  const asked = tab.requests.length;
  await eventually(() => assert.ok(tab.requests.length >= asked + 9), 120_000); // some rounds of three requests
  const rounds = (tab.requests.length - asked) / 3;
  const perMinute = ((tab.received - before) / rounds) * 12;
  assert.ok(perMinute < 200_000, `${perMinute} bytes a minute`);
  const hide = (hidden: boolean) =>
    page.evaluate(`Object.defineProperty(document, 'hidden', { value: ${hidden}, configurable: true });
      document.dispatchEvent(new Event('visibilitychange'))`);
  await hide(true);
  const quiet = new Promise<number>((resolve) => {
    const count = tab.requests.length;
    setTimeout(() => resolve(tab.requests.length - count), 8_000);
  });
  assert.ok((await quiet) <= 3, 'no more than the round that was under way');
  const count = tab.requests.length;
  await hide(false);
  await eventually(() => assert.ok(tab.requests.length > count));
});

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

test('no page has a fault for people who cannot see or use a mouse, and none is wider than its window', async (t) => {
  const tools = need(t, 'chromium', 'cc');
  if (!tools) return;
  const child = await startChildren(t, 'private', 8);
  const server = await still(t, ['--subgroups', childRules('test', ['private']), '--declared-groups', 'db/postgres']);
  const open = await startBrowser(t, tools.chromium);
  const pages = [
    '/',
    '/groups?group=runtime',
    '/groups?group=test&subgroup=private',
    `/processes?pid=${child.pids[0]}`,
  ];
  for (const width of [1280, 390]) {
    for (const colorScheme of ['light', 'dark'] as const) {
      const { page, said } = await open({ viewport: { width, height: 800 }, colorScheme });
      for (const path of [...pages, '/rules', '/config', '/runbooks']) {
        await page.goto(server.url + path);
        if (pages.includes(path)) await live(page);
        await page.evaluate(axe);
        const found = await page.evaluate<{ id: string; nodes: { html: string; failureSummary: string }[] }[]>(
          `axe.run().then(({ violations }) => violations)`,
        );
        const faults = found.map(({ id, nodes }) => `${id}: ${nodes[0]!.html} ${nodes[0]!.failureSummary}`);
        assert.deepEqual(faults, [], `${path} at ${width}, ${colorScheme}`);
        const wide = await page.evaluate<number>('document.documentElement.scrollWidth');
        assert.ok(wide <= width, `${path} is ${wide} pixels wide at ${width}`);
      }
      assert.deepEqual(said, []);
    }
  }
});

test('a leak that begins while the page is open is the first row of what grew in the last minute', async (t) => {
  const tools = need(t, 'chromium', 'cc');
  if (!tools) return;
  const rules = childRules('test', ['leak', 'private']);
  await startChildren(t, 'private', 16);
  const server = await serve(t, '', [
    '--interval',
    '1s',
    '--subgroups',
    rules,
    '--search-mode',
    'include',
    '--search-groups',
    'test',
  ]);
  await eventually(async () => assert.equal((await sendRequest(`${server.url}/-/ready`)).status, 200));
  const { page, said } = await (await startBrowser(t, tools.chromium))({ viewport: { width: 1280, height: 900 } });
  await page.goto(`${server.url}/groups?group=test`);
  await live(page);
  const began = Date.now();
  const leak = await startChildren(t, 'leak', 4);
  const first = page.locator('table.growth tbody tr').first();
  await eventually(
    async () => assert.match((await first.textContent({ timeout: 1000 })) ?? '', /^test\/leak\+/),
    120_000,
  );
  t.diagnostic(`after ${Math.round((Date.now() - began) / 1000)} s`);
  await page.getByRole('button', { name: '1 min' }).click();
  assert.match(page.url(), /span=60/);
  assert.match((await first.textContent()) ?? '', /^test\/leak\+/);
  await first.getByRole('link').click();
  await page.getByRole('heading', { name: 'Footprint by process' }).waitFor();
  await eventually(async () =>
    assert.match((await first.textContent({ timeout: 1000 })) ?? '', new RegExp(` ${leak.pids[0]}\\+`)),
  );
  // A span that is drawn over the chart stands in the address, and the list is of this span.
  const chart = await page.locator('.chart .u-over').boundingBox();
  await page.mouse.move(chart!.x + chart!.width * 0.4, chart!.y + 50);
  await page.mouse.down();
  await page.mouse.move(chart!.x + chart!.width * 0.9, chart!.y + 60, { steps: 5 });
  await page.mouse.up();
  await page.waitForURL(/from=\d+&to=\d+/);
  const { searchParams } = new URL(page.url());
  const span = Number(searchParams.get('to')) - Number(searchParams.get('from'));
  assert.ok(span > 1 && span < 120, `${span} s`);
  assert.deepEqual(said, []);
});
