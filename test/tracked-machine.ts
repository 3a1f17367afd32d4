// A machine whose processes a tracker follows: for tests of the tracker.
import type { GroupCounters } from '../src/process/group-counters.ts';
import { Tracker } from '../src/process/tracker.ts';
import { Unreadable } from '../src/process/unreadable.ts';
import type { Machine } from './machine.ts';

const UNITS = { pageSize: 4096, ticksPerSecond: 100 };

const bootOf = ({ forks }: Machine) => ({ forks, bootTime: 1_700_000_000, cpus: Number.NaN });

/**
 * Each group has the name of its processes; where groups are inherited, no rule matches jobs.
 * @param lists whether the machine is listed before each pass, so that it is known which processes changed
 */
export function track(machine: Machine, inherits = false, lists = false) {
  const unreadable = new Unreadable();
  const rule = (name: string) => (inherits && name === 'job' ? 'none' : 'test');
  const classify = ({ name }: { name: string }) => ({ group: name, subgroup: name, rule: rule(name) });
  const tracker = new Tracker(machine, UNITS, unreadable, classify);
  tracker.inherits = inherits;
  const pass = () => {
    if (lists) machine.list();
    return [...tracker.pass(bootOf(machine))];
  };
  const counters = (name: string) => tracker.groupCounters.of(name, name);
  const proc = (pid: number) => tracker.living.find((each) => each.pid === pid)!;
  return { tracker, unreadable, pass, counters, proc };
}

export const COUNTERS = ['user', 'system', 'before', 'readBytes', 'writeBytes', 'started', 'exited'] as const;
export type Counter = (typeof COUNTERS)[number];

export const sum = (groups: Iterable<GroupCounters>, ...names: Counter[]): number => {
  let total = 0;
  for (const counters of groups) for (const name of names) total += counters[name];
  return Math.round(total * 1e6) / 1e6;
};
