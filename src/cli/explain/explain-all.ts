// explain --all: a table of every process with its rule and the rule that nearly matched, then the processes that no rule
// matches, with rules for them to paste. Equal processes share a line. With --json every process is an entry.
import { Classifier, type RuleResult } from '../../rules/classifier.ts';
import { escapedJson, escapeForTerminal } from '../../text/hostile.ts';
import { formatBytes } from '../../text/units.ts';
import { collectOnce } from '../collect-once.ts';
import { countedProcesses } from '../counted.ts';
import { loadSetup, openHost, sourcesOf } from '../load-host.ts';
import { type Column, textTable } from '../table.ts';
import type { GivenSettings } from '../verb.ts';
import { type ExplainedProcess, explainProcesses, isUnmatched } from './explained-processes.ts';
import { identityDocument, ruleResultDocument } from './process-inspector.ts';
import { SUGGESTED_GROUP } from './suggested-rule.ts';
import { measuredAs, type UnmatchedProgram, unmatchedPrograms } from './unmatched-programs.ts';

/** The most lines of the table of unmatched programs, and the most rules below it; JSON has all. */
const LISTED_MAX = 40;

export async function explainAll(settings: GivenSettings, json: boolean): Promise<string> {
  const setup = await loadSetup(sourcesOf(settings));
  const files = await openHost(setup.config);
  const { rows, seen } = (await collectOnce(setup, files, { footprints: 'settings' })).view;
  const { processes, denied } = await explainProcesses(rows, files, new Classifier(setup.rules, setup.catalogue));
  const unmatched = unmatchedPrograms(processes);
  const leftOut = seen - processes.length;
  if (json) return escapedJson(documentOf(processes, unmatched, leftOut), 2);
  const matched = processes.filter((proc) => !isUnmatched(proc)).length;
  return [
    `${countedProcesses(matched)} matched by a rule, ${processes.length - matched} by none; ${leftOut} kernel threads and zombies left out`,
    ...denied.map(
      ({ file, processes }) =>
        `/proc/PID/${file} of ${countedProcesses(processes)} cannot be read (denied); with more rights, more rules may match`,
    ),
    '',
    textTable(COLUMNS, linesOf(processes)),
    ...(unmatched.length > 0 ? ['', ...unmatchedLines(unmatched)] : []),
    '',
  ].join('\n');
}

interface Line {
  readonly processes: ExplainedProcess[];
  readonly nearMisses: readonly RuleResult[];
}

/** One line for all processes with the same name, rule and near misses. */
function linesOf(processes: readonly ExplainedProcess[]): Line[] {
  const lines = new Map<string, Line>();
  for (const proc of processes) {
    const { group, subgroup, rule, identity } = proc.description;
    const nearMisses = proc.explanation?.nearMisses ?? [];
    const key = [group, subgroup, withoutNumbers(identity.name), rule, nearMissText(nearMisses)].join('\0');
    const line = lines.get(key);
    if (line) line.processes.push(proc);
    else lines.set(key, { processes: [proc], nearMisses });
  }
  return [...lines].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, line]) => line);
}

const COLUMNS: readonly Column<Line>[] = [
  { head: 'NAME', text: ({ processes }) => namesText(processes) },
  { head: 'PID', text: ({ processes }) => pidsText(processes), right: true },
  { head: 'GROUP', text: ({ processes: [first] }) => `${first!.description.group}/${first!.description.subgroup}` },
  { head: 'RULE', text: ({ processes: [first] }) => first!.description.rule },
  { head: 'NEARLY MATCHED, EXCEPT FOR', text: ({ nearMisses }) => nearMissText(nearMisses) },
];

const UNMATCHED_COLUMNS: readonly Column<UnmatchedProgram>[] = [
  { head: 'NAME', text: ({ processes }) => namesText(processes) },
  { head: 'PID', text: ({ processes }) => pidsText(processes), right: true },
  { head: 'MEMORY', text: ({ memory }) => formatBytes(memory), right: true },
  { head: 'MEASURED AS', text: measuredAs },
  { head: 'EXECUTABLE', text: ({ processes: [first] }) => first!.description.identity.exe || '–' },
  { head: 'RULE BELOW', text: suggestionText },
];

function suggestionText({ processes, suggestion }: UnmatchedProgram): string {
  if (suggestion) return /^subgroup = "(.*)"$/m.exec(suggestion)![1]!;
  return processes.some(({ identity }) => identity) ? 'none found' : 'none: it has ended';
}

/** "fleet*" for fleet1 and fleet2; "first, …" for names that differ in more than numbers. */
function namesText(processes: readonly ExplainedProcess[]): string {
  const names = new Set(processes.map(({ description }) => description.identity.name));
  const [first] = names;
  const stems = new Set([...names].map(withoutNumbers));
  if (names.size === 1) return first!;
  return stems.size === 1 ? withoutNumbers(first!) : `${first}, …`;
}

const withoutNumbers = (name: string): string => name.replace(/\d+/g, '*');

/** "812", or "812 +11" for twelve processes. */
const pidsText = ([first, ...more]: readonly ExplainedProcess[]): string =>
  more.length === 0 ? String(first!.description.pid) : `${first!.description.pid} +${more.length}`;

/** "catalogue/db.toml#postgres: unit", the first rule and its keys that failed; JSON has all. */
function nearMissText(nearMisses: readonly RuleResult[]): string {
  const [first] = nearMisses;
  if (!first) return '';
  const keys = first.failed.map(({ key }) => key).join(', ');
  return `${first.rule.name}: ${keys}${nearMisses.length > 1 ? ` +${nearMisses.length - 1}` : ''}`;
}

function unmatchedLines(unmatched: readonly UnmatchedProgram[]): string[] {
  const listed = unmatched.slice(0, LISTED_MAX);
  const rules = listed.flatMap(ruleLines);
  return [
    'processes that no rule matches, largest first:',
    '',
    textTable(UNMATCHED_COLUMNS, listed),
    ...(unmatched.length > listed.length
      ? [`… and ${unmatched.length - listed.length} more; --json has all of them`]
      : []),
    ...(rules.length > 0
      ? [
          '',
          '# For subgroups.toml. Each rule was tried on its processes. Choose names for group and subgroup.',
          ...rules,
        ]
      : []),
  ];
}

/** The suggested rule, with its processes in a comment. */
const ruleLines = ({ processes, memory, suggestion }: UnmatchedProgram): string[] =>
  suggestion
    ? [
        '',
        `# ${escapeForTerminal(namesText(processes))}: ${countedProcesses(processes.length)}, ${formatBytes(memory)}`,
        suggestion,
      ]
    : [];

function documentOf(
  processes: readonly ExplainedProcess[],
  unmatched: readonly UnmatchedProgram[],
  leftOut: number,
): object {
  const known = (value: number) => (Number.isNaN(value) ? undefined : value);
  return {
    processes: processes.map(({ description, identity, explanation, rss, pss }) => ({
      pid: description.pid,
      ...identityDocument(identity ?? description.identity),
      group: description.group,
      subgroup: description.subgroup,
      rule: description.rule,
      rss_bytes: known(rss),
      pss_bytes: known(pss),
      would_match: explanation?.otherMatches.map(ruleResultDocument),
      nearly_match: explanation?.nearMisses.map(ruleResultDocument),
    })),
    unmatched: unmatched.map((program) => ({
      names: [...new Set(program.processes.map(({ description }) => description.identity.name))],
      exe: program.processes[0]!.description.identity.exe || undefined,
      pids: program.processes.map(({ description }) => description.pid),
      memory_bytes: program.memory,
      measured_as: measuredAs(program),
      suggestion: program.suggestion,
    })),
    kernel_threads_and_zombies: leftOut,
    suggested_group: SUGGESTED_GROUP,
  };
}
