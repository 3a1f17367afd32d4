// node scripts/pictures.mjs: makes docs/pictures/page-light.png and page-dark.png, which README shows: the live page of the
// built exporter, in a real browser. It needs root, unshare, cc and Chromium, and three minutes for the history. The host
// on the picture is a process namespace with children of known sizes; one child leaks. The picture shows no other process of
// the machine. It does show the machine's kernel, uptime and kinds of memory.
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { chromium } from 'playwright-core';
import { ensure } from './test-servers.mjs';

const root = new URL('..', import.meta.url).pathname;
const PORT = 29_215;
/** Points of the history that the picture has; one is made every 15 seconds. */
const POINTS = 12;

/**
 * What runs on the host of the picture: group, subgroup, name, and MiB of each process.
 * @type {readonly (readonly [group: string, subgroup: string, name: string, sizes: readonly number[]])[]}
 */
const SCENE = [
  ['db', 'postgres', 'postgres', [620, 180, 150, 120, 60, 40]],
  ['db', 'redis', 'redis-server', [410]],
  ['web', 'nginx', 'nginx', [40, 55, 55, 55]],
  ['shop', 'checkout', 'checkout-api', [260, 240]],
  ['shop', 'catalogue', 'catalogue-api', [190]],
  ['search', 'opensearch', 'opensearch', [780]],
  ['queue', 'rabbitmq', 'beam.smp', [210]],
  ['batch', 'invoices', 'invoices', [90, 90]],
  ['monitoring', 'vector', 'vector', [75]],
];
/** A declared group without a process. */
const DOWN = { group: 'queue', subgroup: 'mailer' };
const LEAK = { group: 'shop', subgroup: 'images', mibPerSecond: '4' };

/** Inside of the namespace: the children and the exporter, until standard input ends. @param {string} folder */
function runScene(folder) {
  execFileSync('hostname', ['shop-03']);
  const child = `${folder}/child`;
  const rule = (/** @type {string} */ group, /** @type {string} */ subgroup, /** @type {string} */ comm) =>
    `[[rule]]\ngroup = "${group}"\nsubgroup = "${subgroup}"\ncomm = "${comm}"\n`;
  const rules = SCENE.map(([group, subgroup, name]) => rule(group, subgroup, name));
  rules.push(rule(LEAK.group, LEAK.subgroup, 'hk-leak'), rule(DOWN.group, DOWN.subgroup, 'mailer'));
  writeFileSync(`${folder}/rules.toml`, rules.join('\n'));
  /** @type {readonly (readonly string[])[]} */
  const modes = [
    ...SCENE.flatMap(([, , name, sizes]) =>
      sizes.map((size) => ['name', Buffer.from(name).toString('hex'), String(size)]),
    ),
    ['leak', LEAK.mibPerSecond],
  ];
  for (const mode of modes) spawn(child, mode, { stdio: ['pipe', 'ignore', 'inherit'] });
  const settings = ['--port', String(PORT), '--bind', '127.0.0.1', '--subgroups', `${folder}/rules.toml`];
  const rhythm = [
    '--interval',
    '5s',
    '--process-info',
    '--smaps',
    'exact',
    '--declared-groups',
    `${DOWN.group}/${DOWN.subgroup}`,
  ];
  spawn(process.execPath, [`${root}dist/herakles.cjs`, ...settings, ...rhythm], { stdio: 'ignore', cwd: folder });
  process.stdin.resume().on('end', () => process.exit());
}

/** @param {string} browserPath */
async function takePictures(browserPath) {
  const points = async () => {
    try {
      const response = await fetch(`http://localhost:${PORT}/api/v1/history?of=groups`);
      const { at } = /** @type {{ at: number[] }} */ (await response.json());
      return at.length;
    } catch {
      return 0; // it does not listen yet
    }
  };
  while ((await points()) < POINTS) await pause(1000);
  const browser = await chromium.launch({ executablePath: browserPath, args: ['--no-sandbox', '--disable-gpu'] });
  mkdirSync(`${root}docs/pictures`, { recursive: true });
  for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
    const context = await browser.newContext({ colorScheme, viewport: { width: 1200, height: 860 } });
    const page = await context.newPage();
    await page.goto(`http://localhost:${PORT}/`);
    await page.locator('.chart canvas').waitFor();
    await page.screenshot({ path: `${root}docs/pictures/page-${colorScheme}.png` });
  }
  await browser.close();
}

const [scene] = process.argv.slice(2);
if (scene) runScene(scene);
else {
  const { cc, chromium: browserPath, unshare } = ensure('cc', 'chromium', 'unshare');
  const folder = mkdtempSync(`${tmpdir()}/herakles-pictures-`);
  execFileSync(cc, ['-O1', '-pthread', '-o', `${folder}/child`, `${root}test/children/child.c`]);
  const namespaces = ['--pid', '--fork', '--kill-child', '--mount-proc', '--uts'];
  const command = [...namespaces, process.execPath, new URL(import.meta.url).pathname, folder];
  const host = spawn(unshare, command, { stdio: ['pipe', 'inherit', 'inherit'] });
  try {
    await takePictures(browserPath);
  } finally {
    host.kill('SIGKILL'); // unshare ignores SIGTERM, and its children end with it
    rmSync(folder, { recursive: true, force: true });
  }
}
