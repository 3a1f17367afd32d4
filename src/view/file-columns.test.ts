import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { frameOf, limitsText } from '../../test/kernel-text.ts';
import { type CapturedFile, framedFiles } from '../kernel/capture.ts';
import type { ProcessFile, UnreadableReason } from '../kernel/files.ts';
import { Process } from '../process/process.ts';
import { Unreadable } from '../process/unreadable.ts';
import { ColumnReader } from './column-reader.ts';
import { FILE_COLUMNS, type FileColumn, fileColumnsOf } from './file-columns.ts';
import { ProcessRows } from './process-rows.ts';

// biome-ignore format: one line a case
const cases: [column: FileColumn, text: string, value: number][] = [
  ['oomScore', '', Number.NaN],
  ['oomScore', 'x\n', Number.NaN],
  ['oomScore', '-1\n', Number.NaN],
  ['oomScore', '0\n', 0],
  ['oomScore', '1333\n', 1333],
  ['openFds', '', Number.NaN],
  ['openFds', '0\n', 0],
  ['openFds', '1048576\n', 1_048_576],
  ['maxFds', '', Number.NaN],
  ['maxFds', 'Max open files', Number.NaN],
  ['maxFds', 'Max open files            unlimited            unlimited            files\n', Number.NaN],
  ['maxFds', 'Max open files handles 7\n', Number.NaN],
  ['maxFds', ' Max open files 7\n', Number.NaN],
  ['maxFds', limitsText(1024).toString(), 1024],
  ['voluntarySwitches', 'nonvoluntary_ctxt_switches:\t545\n', Number.NaN],
  ['voluntarySwitches', 'Name:\tx\nvoluntary_ctxt_switches:\t150\nnonvoluntary_ctxt_switches:\t545\n', 150],
  ['involuntarySwitches', 'voluntary_ctxt_switches:\t150\nnonvoluntary_ctxt_switches:\t545\n', 545],
  ['involuntarySwitches', 'voluntary_ctxt_switches:\t150\nnonvoluntary_ctxt_switches:\t\n', Number.NaN],
];
for (const [column, text, value] of cases) {
  test(`${column} of ${JSON.stringify(text)} is ${value}`, () => {
    const bytes = Buffer.from(`${text}77`); // what stands behind is of an earlier read
    assert.equal(FILE_COLUMNS[column].parse(bytes, text.length), value);
  });
}

test('every column has a case with a value, and any bytes give a number that is not negative, or none', () => {
  for (const [column, { parse }] of Object.entries(FILE_COLUMNS)) {
    assert.ok(
      cases.some(([one, , value]) => one === column && value > 0),
      column,
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => !(parse(bytes, bytes.length) < 0)));
  }
});

/** A host with kernel thread 2, zombie 3, and processes 4 and 5; and how often each of its files was read. */
function host(change: readonly (readonly [string, CapturedFile])[] = []) {
  const frame = new Map([
    ...frameOf({}, [
      { pid: 2, kernelThread: true, oomScore: 2 },
      ...[3, 4, 5].map((pid) => ({ pid, memory: {}, oomScore: 10 * pid })),
    ]),
    ...change,
  ]);
  const files = framedFiles([frame]);
  const reads: string[] = [];
  const processes = [2, 3, 4, 5].map((pid) => {
    const source = files.process(pid);
    const read = (file: ProcessFile) => {
      reads.push(`${pid}/${file}`);
      return source.read(file);
    };
    const proc = new Process({ ...source, read }, 100, pid === 2);
    Object.assign(proc.stat, { state: (pid === 3 ? 'Z' : 'S').charCodeAt(0) });
    return proc;
  });
  const unreadable = new Unreadable();
  const reader = new ColumnReader(files, unreadable);
  const counts = () => unreadable.counts().filter(({ processes }) => processes !== 0);
  const column = (columns: readonly FileColumn[], kernelThreads = false) => {
    const rows = new ProcessRows();
    rows.reset(processes.length);
    for (const proc of processes) if (proc.pid > 3 || (proc.pid === 2 && kernelThreads)) rows.append(proc, 0);
    for (const _ of reader.read(processes, rows, columns, kernelThreads));
    return [...rows.oomScore.subarray(0, rows.length)];
  };
  return { reads, counts, column };
}

test('a row has the number of its own process, and each file is read once; what nobody shows is not read', () => {
  const { reads, column } = host();
  assert.deepEqual(column([]), [Number.NaN, Number.NaN]);
  assert.deepEqual(reads, []);
  assert.deepEqual(column(['oomScore']), [40, 50]);
  assert.deepEqual(reads.splice(0), ['4/oom_score', '5/oom_score']);
  assert.deepEqual(column(['oomScore'], true), [2, 40, 50]);
});

const failures: [entry: CapturedFile, reason: UnreadableReason][] = [
  [{ failed: 'denied' }, 'denied'],
  [{ bytes: Buffer.from('?') }, 'malformed'],
];
for (const [entry, reason] of failures) {
  test(`a file that is ${reason} gives no number and is counted, until it is not read any more`, () => {
    const { counts, column } = host([['proc/4/oom_score', entry]]);
    for (let round = 0; round < 2; round++) {
      assert.deepEqual(column(['oomScore']), [Number.NaN, 50]);
      assert.deepEqual(counts(), [{ file: 'oom_score', reason, processes: 1 }]);
    }
    column([]);
    assert.deepEqual(counts(), []);
  });
}

test('of the columns that are exported, those of kernel files are read', () => {
  assert.deepEqual(fileColumnsOf(['rss', 'oomScore', 'rss', 'oomScore']), ['oomScore']);
  assert.deepEqual(fileColumnsOf(['rss']), []);
});
