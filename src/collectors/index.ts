// Every collector and every family there is: documents, checks and dashboards derive from this list.
import type { Family } from '../exposition/metric.ts';
import { cgroupFamilies } from './cgroup.ts';
import { exporterFamilies } from './exporter.ts';
import { groupFamilies } from './group.ts';
import { processFamilies } from './process.ts';
import { systemFamilies } from './system.ts';

export interface Collector {
  readonly name: 'process' | 'group' | 'cgroup' | 'system' | 'exporter';
  readonly help: string;
  readonly families: readonly Family[];
}

export const collectors: readonly Collector[] = [
  { name: 'process', help: 'What each process uses.', families: processFamilies },
  { name: 'group', help: 'Sums and counters of each subgroup, over all of its processes.', families: groupFamilies },
  {
    name: 'cgroup',
    help: "The kernel's own account of each control group in which processes live: units and containers. Off by default.",
    families: cgroupFamilies,
  },
  { name: 'system', help: "The host's memory and its pressure.", families: systemFamilies },
  { name: 'exporter', help: 'The exporter about itself.', families: exporterFamilies },
];
