// Every collector there is. Rendering, settings, documents, checks and dashboards derive from these lists.
import type { ExporterState } from '../view/exporter-state.ts';
import { cgroupCollector } from './cgroup.ts';
import type { Collector } from './collector.ts';
import { descriptorsCollector } from './descriptors.ts';
import { exporterCollector } from './exporter.ts';
import { groupCollector } from './group.ts';
import { processCollector } from './process.ts';
import { sharedMemoryCollector } from './shared-memory.ts';
import { systemCollector } from './system.ts';

/** Collectors whose samples are made from a view: written once for each collection and format. */
export const viewCollectors: readonly Collector[] = [
  processCollector,
  groupCollector,
  cgroupCollector,
  descriptorsCollector,
  sharedMemoryCollector,
  systemCollector,
];

/** Collectors whose samples change with every scrape: written for each response, behind the others. */
export const scrapeCollectors: readonly Collector<ExporterState>[] = [exporterCollector];

/** All of them, in the order of a response and of the documents. */
export const collectors: readonly Collector<never>[] = [...viewCollectors, ...scrapeCollectors];
