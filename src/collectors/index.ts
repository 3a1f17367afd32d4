// Every collector and every family there is: documents, checks and dashboards derive from this list.
import type { Family } from '../exposition/metric.ts';
import { exporterFamilies } from './exporter.ts';
import { groupFamilies } from './group.ts';
import { processFamilies } from './process.ts';
import { systemFamilies } from './system.ts';

export interface Collector {
  readonly name: 'process' | 'group' | 'system' | 'exporter';
  readonly help: string;
  readonly families: readonly Family[];
}

export const collectors: readonly Collector[] = [
  { name: 'process', help: 'What each process uses.', families: processFamilies },
  { name: 'group', help: 'Sums and counters of each subgroup, over all of its processes.', families: groupFamilies },
  { name: 'system', help: "The host's memory and its pressure.", families: systemFamilies },
  { name: 'exporter', help: 'The exporter about itself.', families: exporterFamilies },
];
