import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { FileRequests, type ProcessFile, textOf } from './files.ts';
import { guardedFiles } from './guarded-files.ts';

const folder = mkdtempSync(join(tmpdir(), 'herakles-guarded-'));
after(() => rmSync(folder, { recursive: true }));

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
