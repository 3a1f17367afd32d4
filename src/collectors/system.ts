// Collector "system": the few facts of the host that the rules need, so that they need no second exporter.
import type { Encoder } from '../exposition/encode.ts';
import { counter, type Family, gauge, labelText } from '../exposition/metric.ts';
import type { ProcessView } from '../view/view.ts';

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

export const systemFamilies: readonly Family[] = [
  systemTotal,
  systemAvailable,
  systemSwapTotal,
  systemSwapFree,
  systemPressure,
  systemCpus,
];

export function* collectSystem({ host: { memory, pressure, cpus } }: ProcessView, out: Encoder): Generator<void> {
  out.family(systemTotal);
  out.sample('', memory.total);
  out.family(systemAvailable);
  out.sample('', memory.available);
  out.family(systemSwapTotal);
  out.sample('', memory.swapTotal);
  out.family(systemSwapFree);
  out.sample('', memory.swapFree);
  out.family(systemCpus);
  out.sample('', cpus);
  yield;
  if (!pressure) return;
  out.family(systemPressure);
  out.sample(labelText(systemPressure, { kind: 'some' }), pressure.some);
  out.sample(labelText(systemPressure, { kind: 'full' }), pressure.full);
}
