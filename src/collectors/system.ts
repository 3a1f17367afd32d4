// Collector "system": the few values of the host that our alerting and recording rules need, so that they work without
// a second exporter on the host.
import { counter, type Family, gauge, labelText } from '../exposition/metric.ts';
import { type Pressure, readPressure } from '../kernel/host.ts';
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

const KINDS = ['some', 'full'] as const;

export const systemCollector: Collector<ProcessView, Pressure> = {
  name: 'system',
  help: "The host's memory and its pressure.",
  families: [systemTotal, systemAvailable, systemSwapTotal, systemSwapFree, systemPressure, systemCpus],
  series: () => ({ other: 5 + KINDS.length }),
  read: (files) => readPressure(files, 'proc/pressure/memory'),
  *collect({ host: { memory, cpus }, readings }, _enabled, out) {
    const single = (family: Family<never>, value: number) => {
      if (Number.isNaN(value)) return;
      out.family(family);
      out.sample('', value);
    };
    single(systemTotal, memory.total);
    single(systemAvailable, memory.available);
    single(systemSwapTotal, memory.swapTotal);
    single(systemSwapFree, memory.swapFree);
    single(systemCpus, cpus);
    yield;
    const pressure = readings.of(systemCollector);
    if (!pressure) return;
    out.family(systemPressure);
    for (const kind of KINDS) out.sample(labelText(systemPressure, { kind }), pressure[kind]);
  },
};
