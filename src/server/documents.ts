// What the pages show, as plain data: the JSON form of /config and /subgroups, and of the tables on `/`.
import type { Agent } from '../agent/agent.ts';
import { keys, optionOf } from '../config/options.ts';
import type { GroupRow } from '../process/view.ts';

export interface Setting {
  readonly key: string;
  readonly value: unknown;
  readonly origin: string;
}

/** Every setting in force; a secret that is set shows as "<secret>". */
export function configDocument({ setup }: Agent): Setting[] {
  return keys.map((key) => ({
    key,
    value: optionOf(key).secret && setup.config[key] ? '<secret>' : optionOf(key).kind.write(setup.config[key]),
    origin: setup.origins[key] ?? 'default',
  }));
}

export interface SubgroupEntry {
  readonly group: string;
  readonly subgroup: string;
  readonly processes: number;
  readonly rules: readonly string[];
}

/** Every subgroup a rule names or a process is in, those with processes first. */
export function subgroupsDocument(agent: Agent): SubgroupEntry[] {
  const rows = new Map<string, GroupRow>();
  for (const row of agent.snapshot?.view.groups ?? []) rows.set(`${row.ledger.group}/${row.ledger.subgroup}`, row);
  const entries = new Map<string, SubgroupEntry>();
  for (const { group, subgroup, rules } of agent.subgroups()) {
    const processes = rows.get(`${group}/${subgroup}`)?.processes ?? 0;
    entries.set(`${group}/${subgroup}`, { group, subgroup, processes, rules: rules.map(({ name }) => name) });
  }
  for (const [key, row] of rows) {
    const { group, subgroup } = row.ledger;
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
