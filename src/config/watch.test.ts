import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../../test/harness.ts';
import { watchFiles } from './watch.ts';

const root = mkdtempSync(join(tmpdir(), 'herakles-watch-'));
after(() => rmSync(root, { recursive: true }));
let made = 0;

/** Between the first hint and the look: short, and longer than the writes of one step take. */
const settleMs = 30;
/** A change that comes too late, or twice, has come by then. */
const silence = () => sleep(4 * settleMs);

/** Runs steps one after the other over fresh files; each has to be told exactly once. */
function tells(what: string, names: string[], steps: ((path: (name: string) => string) => void)[]) {
  test(`tells ${what}`, async () => {
    const folder = join(root, String(made++));
    const path = (name: string) => join(folder, name);
    mkdirSync(folder);
    writeFileSync(path('there.yaml'), 'port: 1');
    let told = 0;
    const paths = [path('there.yaml'), ...names.map(path)];
    const watching = watchFiles(paths, { changed: () => told++, failed: assert.fail, settleMs });
    for (const [i, step] of steps.entries()) {
      step(path);
      await eventually(() => assert.equal(told, i + 1, `step ${i + 1}`), 60_000, 20);
    }
    await silence();
    assert.equal(told, steps.length, 'told once too often');
    watching.close();
    writeFileSync(path('there.yaml'), 'closed');
    await silence();
    assert.equal(told, steps.length, 'told after close()');
  });
}

const write = (name: string, text: string) => (path: (name: string) => string) => {
  mkdirSync(dirname(path(name)), { recursive: true });
  writeFileSync(path(name), text);
};

tells('a file written in place, as often as that happens', [], [write('there.yaml', 'a'), write('there.yaml', 'b')]);

tells(
  'a file that an editor replaces by renaming',
  [],
  [
    (path) => {
      writeFileSync(path('.there.swp'), 'port: 2');
      renameSync(path('there.yaml'), path('there.yaml~'));
      renameSync(path('.there.swp'), path('there.yaml'));
    },
    write('there.yaml', 'port: 3'),
  ],
);

tells('a file that goes and comes again', [], [(path) => unlinkSync(path('there.yaml')), write('there.yaml', 'a')]);

tells(
  'a file that appears in a folder that was not there',
  ['a/b/new.yaml'],
  [write('a/b/new.yaml', 'a'), write('a/b/new.yaml', 'ab')],
);

tells(
  'a file whose folder is deleted and made again',
  ['sub/x.yaml'],
  [
    write('sub/x.yaml', 'a'),
    (path) => rmSync(path('sub'), { recursive: true }),
    write('sub/x.yaml', 'a'),
    write('sub/x.yaml', 'ab'),
  ],
);

/** Kubernetes: config.yaml → ..data/config.yaml, ..data → ..1; an update renames a new link over ..data. */
tells(
  'a ConfigMap that Kubernetes swaps',
  ['map/config.yaml'],
  [
    (path) => {
      write('map/..1/config.yaml', 'port: 1')(path);
      symlinkSync('..1', path('map/..data'));
      symlinkSync('..data/config.yaml', path('map/config.yaml'));
    },
    ...[2, 3].map((n) => (path: (name: string) => string) => {
      write(`map/..${n}/config.yaml`, 'port: 1')(path);
      symlinkSync(`..${n}`, path('map/..data_tmp'));
      renameSync(path('map/..data_tmp'), path('map/..data'));
      rmSync(path(`map/..${n - 1}`), { recursive: true });
    }),
  ],
);

tells(
  'a change of what a link leads to',
  ['link.yaml'],
  [
    (path) => {
      write('elsewhere/target.yaml', 'a')(path);
      symlinkSync('elsewhere/target.yaml', path('link.yaml'));
    },
    write('elsewhere/target.yaml', 'ab'),
  ],
);

tells(
  'a link that led only to itself, once it leads to something',
  ['loop.yaml'],
  [
    (path) => {
      symlinkSync('loop.yaml', path('loop.yaml'));
      writeFileSync(path('there.yaml'), 'port: 2');
    },
    (path) => {
      unlinkSync(path('loop.yaml'));
      symlinkSync('there.yaml', path('loop.yaml'));
    },
  ],
);

test('a folder this user may not enter is no failure', () => {
  const hidden = join(root, 'hidden');
  mkdirSync(join(hidden, 'below'), { recursive: true });
  chmodSync(root, 0o755);
  chmodSync(hidden, 0);
  const superuser = process.geteuid?.() === 0;
  if (superuser) process.seteuid?.(65534);
  try {
    const paths = [join(hidden, 'below/x.yaml'), join(hidden, 'y.yaml'), `/${'x'.repeat(300)}`];
    watchFiles(paths, { changed: assert.fail, failed: assert.fail }).close();
  } finally {
    if (superuser) process.seteuid?.(0);
    chmodSync(hidden, 0o700);
  }
});

test('other files in the same folder are no change, a storm of writes is one', async () => {
  const folder = join(root, 'busy');
  mkdirSync(folder);
  let told = 0;
  const watching = watchFiles([join(folder, 'x.yaml')], { changed: () => told++, failed: assert.fail, settleMs: 100 });
  for (let i = 0; i < 50; i++) writeFileSync(join(folder, `log.${i}`), 'x');
  await sleep(300);
  assert.equal(told, 0);
  for (let i = 0; i < 50; i++) writeFileSync(join(folder, 'x.yaml'), `${i}`);
  await eventually(() => assert.equal(told, 1), 60_000, 20);
  await sleep(500);
  assert.equal(told, 1);
  watching.close();
});

test('where others write to a watched folder all the time, it looks more and more rarely', async (t) => {
  const folder = join(root, String(made++));
  mkdirSync(folder);
  const path = join(folder, 'there.yaml');
  writeFileSync(path, 'port: 1');
  const delays: (number | undefined)[] = [];
  const real = setTimeout;
  t.mock.method(globalThis, 'setTimeout', (look: () => void, ms?: number) => {
    delays.push(ms);
    return real(look, Math.min(ms ?? 0, 5)); // the test need not wait for them
  });
  let told = 0;
  const watching = watchFiles([path], { changed: () => told++, failed: assert.fail, settleMs, pollMs: 60_000 });
  const noise = setInterval(() => writeFileSync(join(folder, 'other'), 'x'), 1);
  t.after(() => clearInterval(noise));
  await eventually(() => assert.ok(delays.length >= 14), 60_000, 20);
  assert.deepEqual(
    delays.slice(0, 5),
    [1, 2, 4, 8, 16].map((factor) => factor * settleMs),
  );
  assert.equal(delays[13], 60_000, 'never more rarely than it polls');
  assert.equal(told, 0);
  const before = delays.length;
  writeFileSync(path, 'port: 2');
  await eventually(() => assert.equal(told, 1), 60_000, 20);
  await eventually(() => assert.ok(delays.slice(before).includes(settleMs), 'a change was found'), 60_000, 20);
  watching.close();
});
