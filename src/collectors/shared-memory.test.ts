import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Host } from '../../test/view-host.ts';
import { Encoder } from '../exposition/encode.ts';
import { framedFiles } from '../kernel/capture.ts';
import { SYSV_SEGMENTS } from '../kernel/shared-memory.ts';
import { TMPFS_USAGE } from '../kernel/tmpfs.ts';
import { Readings } from '../view/readings.ts';
import { sharedMemoryCollector } from './shared-memory.ts';

/** Series of the host that says so, without headers. */
function seriesOf(said: Readonly<Record<string, string>>, startTime = 0): string[] {
  const files = framedFiles([
    new Map(Object.entries(said).map(([path, text]) => [path, { bytes: Buffer.from(text) }])),
  ]);
  const readings = new Readings(files, [sharedMemoryCollector]);
  const view = { ...new Host().view([{ pid: 575, group: 'db', startTime }]), readings };
  const out = new Encoder('text');
  for (const _ of sharedMemoryCollector.collect(view, new Set(), out));
  assert.ok(out.series <= sharedMemoryCollector.series(new Set()).other!);
  return out
    .bytes()
    .toString()
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
}

test('of very many mount points the largest have series, and the others one together', () => {
  const lines = Array.from({ length: 100 }, (_, index) => `${index} /run/user/${index}\n`);
  const series = seriesOf({ [TMPFS_USAGE]: lines.join('') });
  assert.equal(series.length, 65);
  assert.equal(series[0], 'herakles_mem_tmpfs_bytes{mountpoint="/run/user/99"} 99');
  assert.equal(series[63], 'herakles_mem_tmpfs_bytes{mountpoint="/run/user/36"} 36');
  assert.equal(series[64], `herakles_mem_tmpfs_bytes{mountpoint="(rest)"} ${(35 * 36) / 2}`);
});

test('mount points that are not text keep one series for each label', () => {
  const text = Buffer.from('1 /a\xff\n2 /a\xfe\n4 /a"b\\134\\012\n', 'latin1').toString('latin1');
  const series = seriesOf({ [TMPFS_USAGE]: text });
  assert.equal(new Set(series.map((line) => line.replace(/ \d+$/, ''))).size, series.length);
  assert.ok(series.includes('herakles_mem_tmpfs_bytes{mountpoint="/a\\"b\\\\\\n"} 4'));
});

test('a segment belongs to the group of its creator, unless that process began later', () => {
  const table = 'cpid nattch ctime size rss\n575 0 1000 4096 4096\n575 1 1000 8192 8192\n576 1 1000 100 4096\n';
  const said = { [SYSV_SEGMENTS]: table };
  const unowned = (attached: boolean, bytes: number) =>
    `herakles_mem_sysv_bytes{group="",subgroup="",attached="${attached}"} ${bytes}`;
  assert.deepEqual(seriesOf(said, 900), [
    'herakles_mem_sysv_bytes{group="db",subgroup="db",attached="false"} 4096',
    'herakles_mem_sysv_bytes{group="db",subgroup="db",attached="true"} 8192',
    unowned(true, 4096),
  ]);
  assert.deepEqual(seriesOf(said, 1100), [unowned(false, 4096), unowned(true, 12_288)]);
});

test('what cannot be read has no series', () => assert.deepEqual(seriesOf({}), []));
