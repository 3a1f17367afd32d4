// The footprint of one process as it is now, for `explain PID`. It is read only where the settings allow that: not where
// smaps is off, and not where a read is predicted to take longer than smaps_max_read, because the process may have to wait
// meanwhile. Where the exporter runs, its prediction counts: it has read the process before.
import { accessTo } from '../../agent/capabilities.ts';
import type { Config } from '../../config/options.ts';
import { pageTablesMax } from '../../footprint/page-tables.ts';
import { firstGuess } from '../../footprint/read-cost.ts';
import { FileRequests, KernelFileError, type KernelFiles, unlessUnreadable } from '../../kernel/files.ts';
import { readUnits } from '../../kernel/host.ts';
import {
  FootprintReading,
  readSmapsRollup,
  readStatm,
  readStatus,
  StatmReading,
  StatusReading,
} from '../../kernel/pid.ts';
import type { Process } from '../../process/process.ts';
import { formatBytes, formatDuration } from '../../text/units.ts';
import type { AddressedAnswer } from './running-exporter.ts';

/** The resident memory alone; bytes, NaN where it is not known either. `why` nothing more is known. */
interface RssAlone {
  readonly rss: number;
  readonly why: string;
}

/** What smaps_rollup says, and bytes of page tables; NaN where status cannot be read. */
interface MeasuredNow extends FootprintReading {
  readonly pageTables: number;
}

export type FootprintNow = MeasuredNow | RssAlone;

export async function footprintNow(
  files: KernelFiles,
  proc: Process,
  config: Config,
  exporter: AddressedAnswer,
): Promise<FootprintNow> {
  const requests = new FileRequests();
  requests.add(proc.files, 'statm');
  requests.add(proc.files, 'status');
  await files.prefetch(requests);
  const rss = unlessUnreadable(() => readRss(files, proc)) ?? Number.NaN;
  const status = unlessUnreadable(() => statusNow(files, proc));
  const refused = whyNotRead(() => predict(files, proc, rss, status), config, exporter);
  if (refused) return { rss, why: refused };
  requests.clear();
  requests.add(proc.files, 'smaps_rollup');
  await files.prefetch(requests);
  try {
    const reading = new FootprintReading();
    readSmapsRollup(files, proc.files, reading);
    return Object.assign(reading, { pageTables: status?.pageTables ?? Number.NaN });
  } catch (failure) {
    if (!(failure instanceof KernelFileError)) throw failure;
    const remedy =
      failure.reason === 'denied' ? `; run explain as root, or grant ${accessTo('smaps_rollup')!.requires}` : '';
    return { rss, why: `PSS and USS cannot be read (${failure.reason})${remedy}` };
  }
}

function readRss(files: KernelFiles, proc: Process): number {
  const reading = new StatmReading();
  readStatm(files, proc.files, readUnits(files), reading);
  return reading.rss;
}

/** Why the settings do not allow to read PSS and USS; undefined where they do. */
function whyNotRead(guess: () => number, config: Config, exporter: AddressedAnswer): string | undefined {
  const known = 'explanation' in exporter ? exporter.explanation.smaps : undefined;
  const mode = known?.mode ?? config.smaps;
  if (mode === 'off') return 'PSS and USS are not read, because smaps is off';
  if (mode === 'exact') return undefined;
  const predicted = known?.predicted_seconds ?? guess();
  const max = known?.max_read_seconds ?? config.smaps_max_read;
  if (!(predicted > max)) return undefined;
  return `PSS and USS are not read, because that is predicted to take ${formatDuration(predicted)}, over smaps_max_read (${formatDuration(max)})`;
}

/** What a read will take, seconds. Where status cannot be read, the page tables are taken to be as large as they can be. */
function predict(files: KernelFiles, proc: Process, rss: number, status: StatusReading | undefined): number {
  const { pageSize } = readUnits(files);
  const { pageTables, swap } = status ?? { pageTables: pageTablesMax(proc, pageSize), swap: 0 };
  return firstGuess({ rss: rss || 0, pageTables, swap }, pageSize);
}

function statusNow(files: KernelFiles, proc: Process): StatusReading {
  const reading = new StatusReading();
  readStatus(files, proc.files, reading);
  return reading;
}

/** What the process has, and of which kinds of memory; kinds of which it has nothing are left out. */
export function memoryLines(footprint: FootprintNow): string[] {
  const rss = `  memory    RSS ${formatBytes(footprint.rss)}`;
  if ('why' in footprint) return [`${rss}; ${footprint.why}`];
  const { pss, uss, swap, anonymous, shmem, hugetlb, sharedHugetlb, pageTables } = footprint;
  const parts = Object.entries({
    anonymous,
    'of files': pss - anonymous - shmem,
    'shared memory': Number.isNaN(anonymous) ? Number.NaN : shmem,
  });
  const beside = Object.entries({
    'huge pages': hugetlb,
    'shared huge pages': sharedHugetlb,
    'page tables': pageTables,
  });
  const listed = (kinds: [string, number][]) =>
    kinds.flatMap(([kind, bytes]) => (bytes > 0 ? [`${kind} ${formatBytes(bytes)}`] : [])).join(', ');
  const [ofPss, others] = [listed(parts), listed(beside)];
  return [
    `${rss}, PSS ${formatBytes(pss)}, USS ${formatBytes(uss)}, swap ${formatBytes(swap)}`,
    ...(ofPss ? [`  PSS has   ${ofPss}`] : []),
    ...(others ? [`  beside    ${others}`] : []),
  ];
}
