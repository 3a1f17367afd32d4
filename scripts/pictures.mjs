// node scripts/pictures.mjs: makes the pictures in docs/pictures, light and dark: the live page of the built exporter in a real
// browser, which README shows, and `top` in a real terminal. It needs root, unshare, cc, tmux and Chromium, and three minutes
// for the history. The host on the pictures is a process namespace with children of known sizes; one child leaks. The
// pictures show no other process of the machine. They do show the machine's kernel, uptime and kinds of memory.
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

const COLOUR_SCHEMES = /** @type {const} */ (['light', 'dark']);
const FOLDER = `${root}docs/pictures`;

/** @param {string} browserPath @param {string} tmux @param {string} folder of files that are gone afterwards */
async function takePictures(browserPath, tmux, folder) {
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
  mkdirSync(FOLDER, { recursive: true });
  const terminal = htmlOf(await screenOfTop(tmux, `${folder}/tmux`));
  for (const colorScheme of COLOUR_SCHEMES) {
    const context = await browser.newContext({ colorScheme, viewport: { width: 1200, height: 860 } });
    const page = await context.newPage();
    await page.goto(`http://localhost:${PORT}/`);
    await page.locator('.chart canvas').waitFor();
    await page.screenshot({ path: `${FOLDER}/page-${colorScheme}.png` });
    // A page of its own: the content security policy of the exporter's page refuses the styles of this one.
    const drawn = await context.newPage();
    await drawn.setContent(terminal);
    await drawn.locator('pre').screenshot({ path: `${FOLDER}/top-${colorScheme}.png` });
  }
  await browser.close();
}

/** What `top` draws in a terminal, with its escape sequences. @param {string} tmux @param {string} path of a socket */
async function screenOfTop(tmux, path) {
  const socket = ['-S', path];
  const env = { PATH: process.env.PATH, LC_ALL: 'C.UTF-8' };
  const run = (/** @type {string[]} */ ...args) => execFileSync(tmux, [...socket, ...args], { encoding: 'utf8', env });
  const command = `${process.execPath} ${root}dist/herakles.cjs top --url http://localhost:${PORT}`;
  run('-f', '/dev/null', 'new-session', '-d', '-x', '104', '-y', '22', command);
  try {
    for (;;) {
      await pause(1000);
      const screen = run('capture-pane', '-p', '-e');
      if (screen.includes(`${LEAK.group}/${LEAK.subgroup}`)) return screen;
    }
  } finally {
    run('kill-server');
  }
}

/** How the styles of a terminal look: SGR of console_codes(4). */
const STYLES = {
  90: 'color:light-dark(#5b6570,#9aa4ae)',
  ...{
    37: 'color:inherit',
    97: 'color:inherit',
    35: 'color:light-dark(#7a4fb8,#b893f0)',
    36: 'color:light-dark(#16817d,#57cdc8)',
  },
  ...{ 1: 'font-weight:bold', 2: 'opacity:.7', 4: 'text-decoration:underline' },
  7: 'background:light-dark(#1b1f24,#e4e7ea);color:light-dark(#fff,#14171a)',
  ...{ 31: 'color:light-dark(#b3261e,#ff8a80)', 32: 'color:light-dark(#1a7f37,#6fd08c)' },
  ...{ 33: 'color:light-dark(#8a6d00,#d8c748)', 34: 'color:light-dark(#0b6bcb,#6cb2ff)' },
};

/** A page that looks as the terminal does. @param {string} screen text with escape sequences */
function htmlOf(screen) {
  let styles = /** @type {string[]} */ ([]);
  const body = screen.trimEnd().replace(/\x1b\[([\d;]*)m|[&<]/g, (found, /** @type {string | undefined} */ codes) => {
    if (codes === undefined) return `&#${found.charCodeAt(0)};`;
    for (const code of codes.split(';').map(Number)) {
      const plain = code > 90 ? code - 60 : code; // a bright colour looks as the usual one
      const style = STYLES[/** @type {keyof typeof STYLES} */ (plain)];
      if (code === 0) styles = [];
      else if (code === 22) styles = styles.filter((each) => !/weight|opacity/.test(each));
      else if (code === 39) styles = styles.filter((each) => !each.startsWith('color'));
      else if (code === 27) styles = styles.filter((each) => !each.startsWith('background'));
      else if (style) styles.push(style);
      else if (code !== 49) throw new Error(`the picture cannot show SGR ${code}`); // 49: no background has a colour
    }
    return `</span><span style="${styles.join(';')}">`;
  });
  const font = "font:14px/17px 'DejaVu Sans Mono',monospace";
  const colours = 'color-scheme:light dark;background:light-dark(#fff,#14171a);color:light-dark(#1b1f24,#e4e7ea)';
  return `<body style="color-scheme:light dark"><pre style="display:inline-block;padding:12px;${font};${colours}"><span>${body}</span></pre>`;
}

const [scene] = process.argv.slice(2);
if (scene) runScene(scene);
else {
  const { cc, chromium: browserPath, tmux, unshare } = ensure('cc', 'chromium', 'tmux', 'unshare');
  const folder = mkdtempSync(`${tmpdir()}/herakles-pictures-`);
  execFileSync(cc, ['-O1', '-pthread', '-o', `${folder}/child`, `${root}test/children/child.c`]);
  const namespaces = ['--pid', '--fork', '--kill-child', '--mount-proc', '--uts'];
  const command = [...namespaces, process.execPath, new URL(import.meta.url).pathname, folder];
  const host = spawn(unshare, command, { stdio: ['pipe', 'inherit', 'inherit'] });
  try {
    await takePictures(browserPath, tmux, folder);
  } finally {
    host.kill('SIGKILL'); // unshare ignores SIGTERM, and its children end with it
    rmSync(folder, { recursive: true, force: true });
  }
}
