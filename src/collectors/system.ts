// Collector "system": the few values of the host that our alerting and recording rules need, so that they work without
// a second exporter on the host, and the books of the host's memory.
import { counter, type Family, gauge, labelText } from '../exposition/metric.ts';
import { unlessUnreadable } from '../kernel/files.ts';
import { type Pressure, readOomKills, readPressure } from '../kernel/host.ts';
import { HOST_KINDS } from '../view/host-books.ts';
import type { ProcessView } from '../view/view.ts';
import type { Collector } from './collector.ts';

export const systemTotal = gauge('herakles_mem_system_total_bytes', "The host's memory.");
export const systemAvailable = gauge(
  'herakles_mem_system_available_bytes',
  'Memory that could be given to programs without swapping, as the kernel estimates it.',
);
export const systemSwapTotal = gauge('herakles_mem_system_swap_total_bytes', "The host's swap space.");
export const systemSwapFree = gauge('herakles_mem_system_swap_free_bytes', 'Swap space that is not used.');
export const systemPressure = counter(
  'herakles_mem_system_pressure_seconds_total',
  'Time in which some task, or every task that was not idle, waited for memory.',
  ['kind'],
);
export const systemCpus = gauge('herakles_cpu_system_cpus', 'Logical CPUs that are online.');
export const systemKind = gauge(
  'herakles_mem_system_kind_bytes',
  "The host's memory by kind: the kinds sum to herakles_mem_system_total_bytes. swap_cache is what no process has mapped, tmpfs the shared memory that no process has mapped, free also what each CPU keeps to hand, unexplained what the kernel counts nowhere.",
  ['kind'],
);
export const systemAttributed = gauge(
  'herakles_mem_system_attributed_ratio',
  'PSS of all processes over what the kernel says they have mapped (AnonPages and Mapped); absent unless PSS is measured for 99 % of the RSS.',
);
export const systemOomKills = counter(
  'herakles_mem_system_oom_kills_total',
  'Processes that the kernel killed because memory was used up, of the host or of a cgroup; since boot.',
);

const KINDS = ['some', 'full'] as const;

/** Undefined, and NaN: the kernel does not say it. */
interface SystemReading {
  readonly pressure: Pressure | undefined;
  readonly oomKills: number;
}

export const systemCollector: Collector<ProcessView, SystemReading> = {
  name: 'system',
  help: "The host's memory by kind, its pressure, and how many processes the kernel killed for memory.",
  families: [
    ...[systemTotal, systemAvailable, systemSwapTotal, systemSwapFree, systemKind, systemAttributed, systemOomKills],
    ...[systemPressure, systemCpus],
  ],
  series: () => ({ other: 7 + HOST_KINDS.length + KINDS.length }),
  read: (files) => ({
    pressure: unlessUnreadable(() => readPressure(files, 'proc/pressure/memory')),
    oomKills: readOomKills(files),
  }),
  *collect({ host: { memory, cpus }, books, readings }, _enabled, out) {
    const single = (family: Family<never>, value: number) => {
      if (Number.isNaN(value)) return;
      out.family(family);
      out.sample('', value);
    };
    single(systemTotal, memory.total);
    single(systemAvailable, memory.available);
    single(systemSwapTotal, memory.swapTotal);
    single(systemSwapFree, memory.swapFree);
    out.family(systemKind);
    for (const [kind, bytes] of books.kinds) out.sample(labelText(systemKind, { kind }), bytes);
    single(systemAttributed, Math.round(books.attributedRatio * 1e4) / 1e4);
    const reading = readings.of(systemCollector);
    single(systemOomKills, reading?.oomKills ?? Number.NaN);
    single(systemCpus, cpus);
    yield;
    if (!reading?.pressure) return;
    out.family(systemPressure);
    for (const kind of KINDS) out.sample(labelText(systemPressure, { kind }), reading.pressure[kind]);
  },
};
