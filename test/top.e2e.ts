// top by the real bundle in a real terminal (tmux): keys, sizes, 10,000 processes, names that are hostile or wide, an exporter
// that is killed, and what it leaves behind on the terminal.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { type Frame, formatCapture, parseCapture } from '../src/kernel/capture.ts';
import { widthOf } from '../src/text/width.ts';
import {
  bundle,
  Exporter,
  eventually,
  freePort,
  need,
  root,
  runBundle,
  type Scope,
  scratch,
  startExporter,
} from './harness.ts';
import { Terminal } from './terminal.ts';

const HOST = readFileSync(new URL('captures/linux-6.18.capture', import.meta.url), 'utf8');

/** A capture of a host with these processes; each is larger than the one after it. */
function captureOf(names: readonly string[]): string {
  const host = [...parseCapture(HOST)[0]!].filter(([path]) => !/^proc\/\d/.test(path));
  const frame = new Map(host) as Map<string, { bytes: Uint8Array }>;
  for (const [index, name] of names.entries()) {
    const pid = 1000 + index;
    const kilobytes = 10_000 + 4 * (names.length - index);
    const put = (file: string, text: string) => frame.set(`proc/${pid}/${file}`, { bytes: Buffer.from(text) });
    put(
      'stat',
      `${pid} (${name}) S 1 ${pid} ${pid} 0 -1 4194304 0 0 0 0 5 3 0 0 20 0 1 0 ${1000 + index} 99000000 ${kilobytes / 4} 18446744073709551615 1 1 1 0 0 0 0 0 0 0 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 0 0\n`,
    );
    put('statm', `24000 ${kilobytes / 4} 500 12 0 99 0\n`);
    put('status', `Name:\tx\nUid:\t0\t0\t0\t0\nRssAnon:\t${kilobytes} kB\nVmPTE:\t40 kB\nVmSwap:\t0 kB\nThreads:\t1\n`);
    put(
      'smaps_rollup',
      `400000-7ffc00000000 ---p 00000000 00:00 0 [rollup]\nRss: ${kilobytes} kB\nPss: ${kilobytes} kB\nPss_Anon: ${kilobytes} kB\nPss_File: 0 kB\nPss_Shmem: 0 kB\nPrivate_Clean: 0 kB\nPrivate_Dirty: ${kilobytes} kB\nAnonymous: ${kilobytes} kB\nSwap: 0 kB\n`,
    );
  }
  const path = `${scratch()}/host.capture`;
  writeFileSync(path, formatCapture([frame as Frame]));
  return path;
}

/** Twenty processes of some groups, of which nothing moves. */
const FEW = ['postgres', 'postgres', 'nginx', 'redis-server', ...Array.from({ length: 16 }, (_, i) => `acme-${i}`)];
const still = ['--history', '0', '--interval', '1h', '--smaps', 'exact', '--process-info'];

const topOf = (url: string): string => `${process.execPath} ${bundle} top --url ${url}`;

async function started(t: Scope & TestContext, names: readonly string[], args: readonly string[] = still) {
  const tmux = need(t, 'tmux')?.tmux;
  if (!tmux) return undefined;
  const exporter = await startExporter(t, { args: ['--capture', captureOf(names), ...args] });
  return { tmux, exporter };
}

/** Compares a screen with the one in test/screens, but for ages and addresses. */
function compare(name: string, terminal: Terminal, height: number): void {
  const screen = terminal.text
    .replace(/\d+(?:\.\d)? (?:m?s|min) old/, 'N s old')
    .replace(/http:\/\/127\.0\.0\.1:\d+/, 'http://127.0.0.1:PORT')
    .replace(/herakles-\w{3,6}/, 'herakles-FOLDER');
  assert.match(screen, /^\S.* old\n[\s\S]*\nq quit .*$/, 'all of it is drawn');
  assert.equal(screen.split('\n').length, height);
  const path = `${root}test/screens/${name}.txt`;
  if (process.env.UPDATE_GOLDEN) writeFileSync(path, `${screen}\n`);
  assert.equal(`${screen}\n`, readFileSync(path, 'utf8'));
}

test('top shows groups, processes and one process, in windows of three sizes', async (t) => {
  const ready = await started(t, FEW);
  if (!ready) return;
  const terminal = new Terminal(t, ready.tmux, topOf(ready.exporter.url));
  await terminal.shows(/^> other\/other/m);
  await eventually(() => compare('top-80x24', terminal, 24), 10_000);
  terminal.resize(120, 40);
  await terminal.shows(/ OOM$/m);
  await eventually(() => compare('top-120x40', terminal, 40), 10_000);
  terminal.resize(40, 15);
  await eventually(() => compare('top-40x15', terminal, 15), 10_000);
  terminal.resize(80, 24);
  terminal.type('Down', 'Enter');
  await terminal.shows(/^db\/postgres: 2 of 2 processes/m);
  await eventually(() => compare('top-processes', terminal, 24), 10_000);
  terminal.type('Down', 'Enter');
  await terminal.shows(/^postgres \(1001\) in db\/postgres$/m);
  terminal.type('Escape');
  await terminal.shows(/^> +1001 {2}postgres/m);
  terminal.type('Escape');
  await terminal.shows(/^> db\/postgres/m);
  terminal.type('Tab');
  await terminal.shows(/^20 of 20 processes, by footprint$/m);
  terminal.type('/', 'acme-1');
  await terminal.shows(/^7 of 20 processes, by footprint, with "acme-1"$/m);
  terminal.type('Enter', 'i');
  await terminal.shows(/by pid, with "acme-1"[\s\S]*\n> +1005 {2}acme-1 /);
  terminal.type('i');
  await terminal.shows(/by pid, reversed, with "acme-1"[\s\S]*\n> +1019 {2}acme-15 /);
  terminal.type('q');
  await terminal.shows(/^ended 0$/m);
});

test('the terminal is left as it was, however the program ends', async (t) => {
  const ready = await started(t, FEW);
  if (!ready) return;
  const fault = `${scratch()}/fault.cjs`;
  const now = `${fault}.now`;
  const fail = "{ throw new Error('a fault of the test'); }";
  writeFileSync(fault, `setInterval(() => { if (require('node:fs').existsSync('${now}')) ${fail} }, 100);\n`);
  const faulty = topOf(ready.exporter.url).replace(process.execPath, `${process.execPath} --require ${fault}`);
  const ends: [how: string, command: string, end: (terminal: Terminal) => void, says: RegExp][] = [
    ['q', topOf(ready.exporter.url), (terminal) => terminal.type('q'), /^ended 0$/m],
    ['Ctrl-C', topOf(ready.exporter.url), (terminal) => terminal.type('C-c'), /^ended 0$/m],
    ['SIGTERM', topOf(ready.exporter.url), (terminal) => end(terminal, 'SIGTERM'), /^ended 0$/m],
    ['SIGINT', topOf(ready.exporter.url), (terminal) => end(terminal, 'SIGINT'), /^ended 0$/m],
    ['an error', faulty, () => writeFileSync(now, ''), /a fault of the test[\s\S]*^ended [1-9]/m],
  ];
  for (const [how, command, stop, says] of ends) {
    const terminal = new Terminal(t, ready.tmux, command);
    await terminal.shows(/^> other\/other/m);
    assert.equal(terminal.state, '1 0 0', 'the second screen, no cursor, no wrapping');
    stop(terminal);
    await terminal.shows(says);
    assert.equal(terminal.state, '0 1 1', how);
    assert.equal(readFileSync(terminal.modes.after, 'utf8'), readFileSync(terminal.modes.before, 'utf8'), how);
    assert.doesNotMatch(terminal.text, /> other\/other/, how);
  }
});

/** Ends the program in a terminal by a signal. */
function end(terminal: Terminal, name: NodeJS.Signals): void {
  const children = readFileSync(`/proc/${terminal.pid}/task/${terminal.pid}/children`, 'utf8').trim().split(' ');
  process.kill(Number(children[0]), name);
}

test('an exporter that is killed: top says so, and goes on when it is there again', async (t) => {
  const tmux = need(t, 'tmux')?.tmux;
  if (!tmux) return;
  const port = await freePort();
  const args = ['--capture', captureOf(FEW), '--bind', '127.0.0.1', '--port', String(port), ...still];
  const start = () => new Exporter(t, port, [process.execPath, bundle, ...args], { cwd: scratch() });
  const first = start();
  await eventually(() => first.scrape());
  const terminal = new Terminal(t, tmux, topOf(first.url));
  await terminal.shows(/^> other\/other/m);
  await first.kill();
  await terminal.shows(/^no answer from http:\/\/127\.0\.0\.1:\d+: no program listens there; .*\n/m);
  assert.match(terminal.text, /^> other\/other/m, 'what was known stays');
  start();
  await eventually(() => assert.doesNotMatch(terminal.text, /no answer/));
  terminal.type('q');
  await terminal.shows(/^ended 0$/m);
});

test('10,000 processes: keys are answered at once', { timeout: 300_000 }, async (t) => {
  const ready = await started(
    t,
    Array.from({ length: 10_000 }, (_, index) => `acme-${index}`),
  );
  if (!ready) return;
  const terminal = new Terminal(t, ready.tmux, topOf(ready.exporter.url));
  await terminal.shows(/^1 of 1 subgroups/m);
  terminal.type('Tab');
  await terminal.shows(/^10000 of 10000 processes/m);
  terminal.type('End');
  await terminal.shows(/^> +10999 {2}acme-9999 /m);
  terminal.type('PageUp', 'PageUp', 'Up');
  await terminal.shows(/^> +109[567]\d {2}acme-99[567]\d /m);
  terminal.type('/', 'acme-777');
  await terminal.shows(/^11 of 10000 processes, by footprint, with "acme-777"$/m);
  terminal.type('Escape', 'n');
  await terminal.shows(/^10000 of 10000 processes, by name$/m);
  terminal.type('q');
  await terminal.shows(/^ended 0$/m);
});

test('hostile and wide names are harmless, and columns stay where they are', async (t) => {
  const names = [
    '数据库',
    '\u001b[2J\u001b[31mred',
    '\u202eevil',
    'e\u0301te\u0301',
    '🦀🦀',
    'plain',
    '\u001b]0;title\u0007',
  ];
  const ready = await started(t, names);
  if (!ready) return;
  const terminal = new Terminal(t, ready.tmux, `${topOf(ready.exporter.url)} --sort pid`, { width: 100 });
  await terminal.shows(/^> other\/other/m);
  terminal.type('Enter');
  await terminal.shows(/7 of 7 processes/);
  const rows = terminal.lines.filter((line) => /^[> ] +100\d /.test(line));
  assert.equal(rows.length, names.length);
  const ends = rows.map((row) => widthOf(row.slice(0, row.indexOf(' MiB'))));
  assert.deepEqual([...new Set(ends)], [ends[0]], rows.join('\n'));
  const text = rows.join('\n');
  for (const name of ['数据库', '\\x1b[2J\\x1b[3', '\\u202eevil', '🦀🦀', 'plain', '\\x1b]0;title'])
    assert.ok(text.includes(name), name + text);
  terminal.type('q');
  await terminal.shows(/^ended 0$/m);
});

test('without colours, without Unicode, without a terminal', async (t) => {
  const ready = await started(t, FEW);
  if (!ready) return;
  const { url } = ready.exporter;
  const colours = new Terminal(t, ready.tmux, topOf(url));
  await colours.shows(/^> other\/other/m);
  assert.match(colours.painted, /\u001b\[\d/);
  const none = new Terminal(t, ready.tmux, topOf(url), { env: { NO_COLOR: '1', LC_ALL: 'C' } });
  await none.shows(/^> other\/other/m);
  assert.doesNotMatch(none.painted.replaceAll('\u001b[m', ''), /\u001b\[/);
  none.type('?');
  await none.shows(/Esc back/);
  assert.match(none.text, /^[ -~\n]*$/, 'ASCII only');
  none.type('?');
  await none.shows(/^> other\/other/m);
  assert.match(none.text, /^[#%=+.?-]{80}$/m, 'the bar in ASCII');
  const { stdout, code } = await runBundle(t, ['top', '--url', url]);
  assert.equal(code, 0);
  assert.doesNotMatch(stdout, /\u001b/);
  assert.match(stdout, /^db\/postgres +2 +19\.9 MiB/m);
  const wrong = await runBundle(t, ['top', '--url', 'http://127.0.0.1:1']);
  assert.deepEqual([wrong.code, wrong.stdout], [1, '']);
});

test('where no exporter runs, top collects by itself', async (t) => {
  const tmux = need(t, 'tmux')?.tmux;
  if (!tmux) return;
  const command = `${process.execPath} ${bundle} top --bind 127.0.0.1 --port ${await freePort()}`;
  const terminal = new Terminal(t, tmux, command, { width: 120 });
  await terminal.shows(/^> \w+\/\w+ /m, 60_000);
  assert.match(terminal.text, /own collection/);
  terminal.type('q');
  await terminal.shows(/^ended 0$/m);
  assert.ok(existsSync(terminal.modes.after));
});
