// The older form of rules, which earlier programs of this name read from subgroups.toml. It keeps its meaning:
//   subgroups = [ { group = "a", subgroup = "b", matches = ["name"], cmdline_matches = ["java.*Worker"] } ]
// Names decide before command lines, whatever their order in the file. Of two entries that claim a name the later one
// decides. A name is compared as it is, never as a glob. An entry with both gives two rules, as either is enough.
import { type Rule, RuleConditions } from './rule.ts';
import type { Table, TableReader } from './table-reader.ts';

const ENTRY_KEYS = ['group', 'subgroup', 'matches', 'cmdline_matches'];

/**
 * The rules of the entries under `subgroups`, in the order in which they decide; pauses after each value.
 * @param group of entries that give none of their own
 * @param nameOf name of the rules of an entry, by its number from 1
 */
export function* olderFormSteps(
  reader: TableReader,
  tables: readonly Table[],
  group: string | undefined,
  nameOf: (number: number) => string,
): Generator<void, Rule[], void> {
  const byName: Rule[] = [];
  const byCommandLine: Rule[] = [];
  for (const [i, table] of tables.entries()) {
    reader.enter('subgroups', i, 'subgroups entry');
    reader.checkKeys(table, ENTRY_KEYS);
    const rule = {
      ...{ name: nameOf(i + 1), line: reader.line },
      group: reader.label(table, 'group', group),
      subgroup: reader.label(table, 'subgroup'),
      ...{ fallback: false, source: '', examples: [], notExamples: [] },
    };
    const names = yield* reader.matchers('comm', reader.strings(table, 'matches', 0), 'literal', 'matches');
    if (names.length > 0) byName.push({ ...rule, keys: new RuleConditions([['comm', names]]) });
    const written = reader.strings(table, 'cmdline_matches', 0);
    const patterns = yield* reader.matchers('argv', written, 'regex', 'cmdline_matches');
    if (patterns.length > 0) byCommandLine.push({ ...rule, keys: new RuleConditions([['argv', patterns]]) });
    yield;
  }
  return [...byName.reverse(), ...byCommandLine];
}
