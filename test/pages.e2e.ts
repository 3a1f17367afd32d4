// The pages in a real browser: a process name that holds markup stays text, nothing executes, and the page is whole
// without script, in light and in dark mode.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { type Browser, chromium } from 'playwright-core';
import { eventually, need, scratch, startChildren } from './harness.ts';
import { sendRequest, serve } from './web-server.ts';

const hostile = '<script>x=1</script>"\'><img src=x onerror=x=1>';

const hex = (text: string) => Buffer.from(text).toString('hex');

async function browser(t: { after(fn: () => Promise<void>): void }, executablePath: string): Promise<Browser> {
  const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking'];
  const started = await chromium.launch({ executablePath, args });
  t.after(() => started.close());
  return started;
}

test('hostile names stay text in a browser, and break no line', async (t) => {
  const tools = need(t, 'chromium', 'cc');
  if (!tools) return;
  await startChildren(t, 'name', hex('<script>x=1</'));
  await startChildren(t, 'name', hex('a\nb{c="d"} 1\n'));
  const dir = scratch();
  const toml = (text: string) => JSON.stringify(text);
  const rule = (subgroup: string, comm: string) =>
    `[[rule]]\ngroup = ${toml(hostile)}\nsubgroup = ${toml(subgroup)}\ncomm = ${toml(comm)}\n`;
  writeFileSync(`${dir}/rules.toml`, rule('<b>&amp;', '<script>x=1</*') + rule('"onmouseover="x=1', 'a*'));
  const server = await serve(t, '', [
    '--subgroups',
    `${dir}/rules.toml`,
    '--exclude-names',
    hostile,
    '--interval',
    '1s',
  ]);
  await eventually(async () => assert.equal((await sendRequest(`${server.url}/-/ready`)).status, 200));
  const context = await (await browser(t, tools.chromium)).newContext();
  const page = await context.newPage();
  const said: string[] = [];
  page.on('dialog', (dialog) => void dialog.dismiss().then(() => said.push(dialog.message())));
  page.on('console', (message) => said.push(message.text()));
  page.on('pageerror', (error) => said.push(error.message));
  const asked: string[] = [];
  page.on('request', (request) => asked.push(new URL(request.url()).pathname));
  for (const path of [
    '/',
    '/config',
    '/subgroups',
    '/runbooks',
    '/metrics',
    '/health',
    `/${encodeURIComponent(hostile)}`,
  ]) {
    await page.goto(server.url + path);
    const found = await page.evaluate<{ executed: boolean; elements: number; text: string }>(`({
      executed: 'x' in globalThis,
      elements: document.querySelectorAll('script:not([src^="./assets/page.js?v="]), img, b, [onmouseover], [onerror]').length,
      text: document.body.textContent,
    })`);
    assert.deepEqual([found.executed, found.elements], [false, 0], path);
    const shown = path === '/config' ? JSON.stringify([hostile]) : hostile;
    if (['/', '/config', '/subgroups'].includes(path)) assert.ok(found.text.includes(shown), `${path}: ${found.text}`);
  }
  assert.deepEqual(
    said.filter((text) => !/favicon|404/.test(text)),
    [],
  );
  assert.ok(!asked.includes('/x'), 'no image was asked for');
  const { body } = await sendRequest(`${server.url}/metrics`);
  assert.match(body, /name="a\\nb\{c=\\"d\\"\} 1/);
  assert.ok(body.includes('name="<script>x=1</"'));
  for (const line of body.trimEnd().split('\n')) assert.match(line, /^(#|[a-z\d_]+(\{.*\})? \S+$)/);
});

test('without script the page answers what an operator asks first', async (t) => {
  const tools = need(t, 'chromium');
  if (!tools) return;
  const server = await serve(t, '', ['--interval', '1s']);
  await eventually(async () => assert.equal((await sendRequest(`${server.url}/-/ready`)).status, 200));
  const started = await browser(t, tools.chromium);
  const colours = new Set<string>();
  for (const colorScheme of ['light', 'dark'] as const) {
    const context = await started.newContext({
      colorScheme,
      javaScriptEnabled: false,
      viewport: { width: 390, height: 800 },
    });
    const page = await context.newPage();
    await page.goto(server.url);
    const text = (await page.locator('body').textContent()) ?? '';
    for (const part of [
      /Version \d/,
      /running for/,
      /Last collection/,
      /Coverage/,
      /Groups by footprint/,
      /Footprint of all/,
    ])
      assert.match(text, part, colorScheme);
    const rows = await page.locator('table').first().locator('tbody tr').count();
    assert.ok(rows > 1, `${rows} groups`);
    await page.locator('table').first().locator('tbody tr').first().getByRole('link').nth(1).click();
    assert.match(page.url(), /\/groups\?group=.+&subgroup=/);
    assert.match((await page.locator('body').textContent()) ?? '', /\d+ process(es)?, by footprint/);
    await page.locator('table tbody').getByRole('link').first().click();
    assert.match(page.url(), /\/processes\?pid=\d+$/);
    await page
      .getByText(/^(footprint|state)$/)
      .first()
      .waitFor();
    await page.getByText('Overview').click();
    await page.locator('nav').getByText('/rules').click();
    const rules = async () => page.locator('table tbody tr').count();
    const all = await rules();
    await page.getByRole('searchbox').fill('db postgres');
    await page.getByRole('button', { name: 'Show' }).click();
    assert.ok((await rules()) > 0 && (await rules()) < all / 10, `${await rules()} of ${all} rules`);
    await page.getByText('Overview').click();
    await page.locator('nav').getByText('/config').click();
    assert.match((await page.locator('body').textContent()) ?? '', /Configuration in force[\s\S]*max_connections/);
    await page.getByText('Overview').click();
    assert.equal(new URL(page.url()).pathname, '/');
    const shot = await page.screenshot();
    colours.add(shot.subarray(-2000).toString('base64'));
  }
  assert.equal(colours.size, 2, 'light is not dark');
});
