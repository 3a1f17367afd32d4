// The data that the pages show, as plain objects: the JSON of /config, /subgroups and /explain, and the tables of `/`.
import type { Agent } from '../agent/agent.ts';
import type { ObservedProcess, Snapshot } from '../agent/sampler.ts';
import { type Key, keys, optionOf } from '../config/options.ts';

type GroupRow = Snapshot['view']['groups'][number];

export interface SettingEntry {
  readonly key: Key;
  readonly value: unknown;
  readonly origin: string;
}

/** Every setting in force; a secret that is set is shown as "<secret>". */
export function configDocument({ setup }: Agent): SettingEntry[] {
  return keys.map((key) => ({
    key,
    value: optionOf(key).secret && setup.config[key] ? '<secret>' : optionOf(key).type.write(setup.config[key]),
    origin: setup.origins[key] ?? 'default',
  }));
}

export interface SubgroupEntry {
  readonly group: string;
  readonly subgroup: string;
  readonly processes: number;
  readonly rules: readonly string[];
}

/** Every subgroup that a rule names or a process is in; subgroups with processes come first. */
export function subgroupsDocument(agent: Agent): SubgroupEntry[] {
  const rows = new Map<string, GroupRow>();
  for (const row of agent.snapshot?.view.groups ?? []) rows.set(`${row.counters.group}/${row.counters.subgroup}`, row);
  const entries = new Map<string, SubgroupEntry>();
  for (const { group, subgroup, rules } of agent.subgroups()) {
    const processes = rows.get(`${group}/${subgroup}`)?.processes ?? 0;
    entries.set(`${group}/${subgroup}`, { group, subgroup, processes, rules: rules.map(({ name }) => name) });
  }
  for (const [key, row] of rows) {
    const { group, subgroup } = row.counters;
    if (!entries.has(key)) entries.set(key, { group, subgroup, processes: row.processes, rules: [] });
  }
  return [...entries.values()].sort(
    (a, b) =>
      Number(b.processes > 0) - Number(a.processes > 0) || (a.group + a.subgroup < b.group + b.subgroup ? -1 : 1),
  );
}

/** Groups with processes, largest footprint first. */
export const groupsBySize = (agent: Agent): GroupRow[] =>
  (agent.snapshot?.view.groups ?? []).filter((row) => row.processes > 0).sort((a, b) => b.footprint - a.footprint);

/**
 * Why the footprint of a process is as old as it is. About the process itself it has only what the metrics show: never its
 * command line or executable, and no name where it has no series. Seconds, bytes, Unix time; unknown values are left out.
 */
export function explanationDocument({ config, age }: Agent, observed: ObservedProcess) {
  const { proc, footprint, mode, shown, countedWith } = observed;
  const { pid, description } = proc;
  const { rss } = proc.memory;
  const { pss, uss } = proc.footprint;
  const known = (value: number) => (Number.isNaN(value) ? undefined : value);
  const own = shown && countedWith === undefined;
  const exported = (value: number, enabled: boolean) => (own && enabled ? known(value) : undefined);
  return {
    pid,
    start_time_seconds: description.startTime,
    series: shown,
    ...(shown && { name: description.identity.name, group: description.group, subgroup: description.subgroup }),
    rule: shown && config.process_info ? description.rule : undefined,
    rss_bytes: exported(rss, config.enable_rss),
    pss_bytes: exported(pss, config.enable_pss),
    uss_bytes: exported(uss, config.enable_uss),
    counted_with_pid: countedWith,
    collection_age_seconds: age,
    smaps: {
      mode,
      state: footprint.state,
      need: footprint.need,
      failure: footprint.failure,
      source: footprint.source,
      age_seconds: known(footprint.age + age),
      confirmed_age_seconds: known(footprint.confirmedAge + age),
      predicted_seconds: known(footprint.predicted),
      over_max_read: footprint.overMaxRead,
      max_read_seconds: config.smaps_max_read,
      max_age_seconds: config.smaps_max_age,
      moved_bytes: known(footprint.moved),
      moved_by_relatives_bytes: known(footprint.movedByRelatives),
      worth_bytes: known(footprint.threshold),
      next_turn_seconds: Math.max(0, footprint.untilDue - age),
    },
  };
}

export type ExplanationDocument = ReturnType<typeof explanationDocument>;
