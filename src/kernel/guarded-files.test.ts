import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { FileRequests, type ProcessFile, textOf } from './files.ts';
import { guardedFiles } from './guarded-files.ts';

const folder = mkdtempSync(join(tmpdir(), 'herakles-guarded-'));
after(() => rmSync(folder, { recursive: true }));

const LONG = 'x'.repeat(6000);

test('each file gets its own answer, also beside processes whose first thread has ended', async () => {
  const wanted: ProcessFile[] = ['stat', 'smaps_rollup', 'status', 'cmdline'];
  const put = (place: string, resident: number) => {
    mkdirSync(join(folder, 'proc', place), { recursive: true });
    for (const file of wanted) writeFileSync(join(folder, 'proc', place, file), `${place} ${file}\n`);
    writeFileSync(join(folder, 'proc', place, 'statm'), `${resident} ${resident} 0 0 0 0 0\n`);
  };
  for (const pid of [5, 6, 7]) {
    put(`${pid}`, 0);
    put(`${pid}/task/${pid}`, 0);
    put(`${pid}/task/${pid}0`, 9);
  }
  const files = await guardedFiles(join(folder, 'proc'), () => performance.now() / 1000);
  const procs = [5, 6, 7].map((pid) => files.process(pid));
  procs[1]!.leaderEnded!(true);
  for (const round of [1, 2]) {
    const requests = new FileRequests();
    for (const proc of procs) for (const file of wanted) requests.add(proc, file);
    await files.prefetch(requests);
    for (const [index, proc] of procs.entries())
      for (const file of wanted) {
        if (file === 'stat' && proc.unchanged!('stat')) continue;
        const pid = 5 + index;
        const living = pid === 6 && file !== 'stat' ? `${pid}/task/${pid}0` : `${pid}`;
        assert.equal(textOf(files, proc.read(file)), `${living} ${file}\n`, `${file} of ${pid}, round ${round}`);
      }
    for (const { readSeconds } of procs) assert.ok(readSeconds! >= 0 && readSeconds! < 10, `${readSeconds}`);
  }
  for (const proc of procs) proc.close();
});

test('of many processes, each answer stands under its own until the next prefetch, whatever is read meanwhile', async () => {
  const root = join(folder, 'many');
  const names = ['status', 'cgroup', 'cmdline', 'smaps_rollup'] as const;
  const content = (pid: number, file: ProcessFile) => `${pid} ${file}\n`.repeat((pid * 7) % 40) + (pid % 9 ? '' : LONG);
  for (let pid = 1; pid <= 600; pid++) {
    mkdirSync(join(root, 'proc', `${pid}`), { recursive: true });
    for (const file of names) writeFileSync(join(root, 'proc', `${pid}`, file), content(pid, file));
  }
  const files = await guardedFiles(join(root, 'proc'), () => performance.now() / 1000);
  const procs = Array.from({ length: 600 }, (_, index) => files.process(index + 1));
  const requests = new FileRequests();
  const held: [pid: number, bytes: Uint8Array][] = [];
  for (let round = 0; round < 6; round++) {
    // Rounds overlap, so that memory goes from process to process, and the number of files differs.
    const chosen = procs.filter(({ pid }) => (pid + 100 * round) % 600 < 350);
    const wanted = names.slice(0, 1 + (round % names.length));
    requests.clear();
    for (const proc of chosen) for (const file of wanted) requests.add(proc, file);
    await files.prefetch(requests);
    const others = [procs[0]!, chosen[3]!, procs[599]!];
    const later = others.map(async (proc) => held.push([proc.pid, await proc.readLater('smaps_rollup')]));
    for (const [index, proc] of chosen.entries()) {
      if (index === 100) await Promise.all(later);
      for (const file of wanted) assert.ok(textOf(files, proc.read(file)) === content(proc.pid, file), `${proc.pid}`);
    }
  }
  assert.equal(held.length, 18);
  for (const [pid, bytes] of held) assert.equal(Buffer.from(bytes).toString(), content(pid, 'smaps_rollup'));
  for (const proc of procs) proc.close();
});
