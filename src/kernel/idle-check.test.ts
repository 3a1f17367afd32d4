import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { FileRequests } from './files.ts';
import { guardedFiles } from './guarded-files.ts';

const folder = mkdtempSync(join(tmpdir(), 'herakles-idle-'));
after(() => rmSync(folder, { recursive: true }));

/** The text of stat. The name of the process looks like the fields that follow a name, so that a wrong parser fails. */
const stat = (threads: number, ticks: number): string =>
  `5 (a) R 1 1 (1 ) S 1 5 5 0 -1 4194560 80 0 0 0 ${ticks} 0 0 0 20 0 ${threads} 0 100 8192 10 0 1 1 1 0 0 0\n`;

interface Texts {
  readonly stat: string;
  readonly schedstat: string | undefined;
  readonly statm: string;
  readonly io: string;
}

const FIRST: Texts = { stat: stat(1, 7), schedstat: '500 20 3\n', statm: '2 10 1 0 0 0 0\n', io: 'rchar: 1\n' };
const WORKED = { stat: stat(1, 8), io: 'rchar: 2\n' };
const [IDLE, READ] = [true, false];

/** What a process does next, and whether stat and io are taken as they were, without a look at them. */
const CASES: [what: string, start: Partial<Texts>, ...steps: [change: Partial<Texts>, unchanged: boolean][]][] = [
  ['it has not run: stat and io are not read', {}, [WORKED, IDLE], [{}, IDLE]],
  ['it ran', {}, [{ ...WORKED, schedstat: '600 20 4\n' }, READ]],
  ['it ran without leaving the CPU', {}, [{ ...WORKED, schedstat: '600 20 3\n' }, READ]],
  ['its memory changed while it did not run', {}, [{ ...WORKED, statm: '2 11 1 0 0 0 0\n' }, READ]],
  ['the kernel does not count', { schedstat: '0 0 0\n' }, [WORKED, READ]],
  ['the kernel lacks the file', { schedstat: undefined }, [WORKED, READ]],
  [
    'other threads may have run',
    {},
    [{ stat: stat(2, 8), schedstat: '600 20 4\n' }, READ],
    ...Array.from({ length: 4 }, (_, step): [Partial<Texts>, boolean] => [
      { stat: stat(2, 9 + step), io: `rchar: ${step + 2}\n` },
      READ,
    ]),
  ],
  [
    'it ran after a long time, when its files had been closed',
    {},
    ...Array.from({ length: 9 }, (): [Partial<Texts>, boolean] => [{}, IDLE]),
    [{ ...WORKED, schedstat: '600 20 4\n' }, READ],
  ],
  [
    'it runs always, and is seldom checked',
    {},
    ...Array.from({ length: 20 }, (_, step): [Partial<Texts>, boolean] => [
      { stat: stat(1, 8 + step), io: `rchar: ${step + 2}\n`, schedstat: `${600 + step} 20 3\n` },
      READ,
    ]),
  ],
];

for (const [what, start, ...steps] of CASES)
  test(what, async () => {
    const root = mkdtempSync(join(folder, 'host-'));
    let texts: Texts = { ...FIRST, ...start };
    const write = (change: Partial<Texts>): void => {
      texts = { ...texts, ...change };
      mkdirSync(join(root, 'proc/5'), { recursive: true });
      for (const [file, text] of Object.entries(texts))
        if (text !== undefined) writeFileSync(join(root, 'proc/5', file), text);
    };
    write({});
    const files = await guardedFiles(join(root, 'proc'), () => performance.now() / 1000);
    const proc = files.process(5);
    const readAll = async (): Promise<void> => {
      const requests = new FileRequests();
      for (const file of ['stat', 'statm', 'io'] as const) requests.add(proc, file);
      await files.prefetch(requests);
    };
    const take = (): string[] =>
      (['stat', 'statm', 'io'] as const).map((file) => {
        if (proc.unchanged(file)) return 'unchanged';
        const length = proc.read(file);
        return Buffer.from(files.buffer.subarray(0, length)).toString();
      });
    await readAll();
    assert.deepEqual(take(), [FIRST.stat, FIRST.statm, FIRST.io]);
    await readAll();
    assert.deepEqual(take(), ['unchanged', 'unchanged', 'unchanged'], 'the first check only notes what schedstat says');
    for (const [index, [change, unchanged]] of steps.entries()) {
      const before = texts;
      write(change);
      await readAll();
      const [statSaid, , ioSaid] = take();
      const said = (file: 'stat' | 'io'): string => (texts[file] === before[file] ? 'unchanged' : texts[file]);
      assert.deepEqual(
        [statSaid, ioSaid],
        unchanged ? ['unchanged', 'unchanged'] : [said('stat'), said('io')],
        `step ${index}`,
      );
    }
    proc.close();
  });

test('memory of a process that has not run is looked at only where the kernel took some lately', async () => {
  const root = mkdtempSync(join(folder, 'host-'));
  mkdirSync(join(root, 'proc/5'), { recursive: true });
  const write = (file: string, text: string) => writeFileSync(join(root, 'proc', file), text);
  const reclaimed = (pages: number) => write('vmstat', `pgsteal_anon ${pages}\npgsteal_file 3\n`);
  for (const [file, text] of Object.entries(FIRST)) write(`5/${file}`, text);
  reclaimed(0);
  let now = 0;
  const files = await guardedFiles(join(root, 'proc'), () => now);
  const proc = files.process(5);
  /** A collection. @returns whether stat was read */
  const collect = async (): Promise<boolean> => {
    now += 100;
    files.begin();
    const requests = new FileRequests();
    requests.add(proc, 'stat');
    requests.addIfStatChanged(proc, 'statm');
    await files.prefetch(requests);
    if (proc.unchanged('stat')) return false;
    proc.read('stat');
    if (!proc.unchanged('statm')) proc.read('statm');
    return true;
  };
  assert.equal(await collect(), true);
  await collect();
  assert.equal(await collect(), false);
  write('5/statm', '2 11 1 0 0 0 0\n');
  write('5/stat', WORKED.stat);
  assert.deepEqual([await collect(), files.memoryMoves], [false, false]);
  reclaimed(1);
  assert.deepEqual([await collect(), files.memoryMoves], [true, true]);
  proc.close();
});
