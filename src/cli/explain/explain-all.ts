// explain --all: every process, its rule and what nearly matched; then those that no rule matches, largest first, with
// rules for them to paste. Equal processes are one line; programs get every one with --json.

import type { Setup } from '../../agent/agent.ts';
import { type KernelFiles, unlessUnreadable } from '../../kernel/files.ts';
import type { ProcessDescription } from '../../process/process.ts';
import { Classifier, type Explanation, type Verdict } from '../../rules/classifier.ts';
import { type Identity, NO_RULE } from '../../rules/identity.ts';
import { collectOnce } from '../scan.ts';
import { type Column, harmless, shortBytes, textTable } from '../table.ts';
import { Examiner, identityDocument, verdictDocument } from './examine.ts';
import { PROPOSED_GROUP, type Settled, sameProgramKey, suggest } from './suggest.ts';

/** One process. What it is, and what rules made of it, is undefined where it ended meanwhile. */
interface Explained {
  readonly who: ProcessDescription;
  readonly identity: Identity | undefined;
  readonly explanation: Explanation | undefined;
  /** Bytes; NaN where it cannot be read. */
  readonly rss: number;
  readonly pss: number;
}

/** Processes of one kind that no rule matches. */
interface Unmatched {
  readonly processes: Explained[];
  /** Bytes: PSS of those of which it can be read, RSS of the others. */
  memory: number;
  measured: number;
  /** A rule for them, as TOML. */
  suggestion: string | undefined;
}

/** So many kinds of unmatched processes, the largest, are worth the search for a rule. */
const MOST_SUGGESTIONS = 300;
/** Kinds in the table, and rules below it; JSON has all. */
const TOP = 40;
/** Two readings of the time of the boot may differ by so much, seconds. */
const SAME_START = 2;

export async function explainAll(setup: Setup, files: KernelFiles, json: boolean): Promise<string> {
  const { view } = await collectOnce(setup, files);
  const classifier = new Classifier(setup.rules, setup.catalogue);
  const examiner = new Examiner(files);
  const { rows, seen } = view;
  const processes: Explained[] = [];
  for (let row = 0; row < rows.length; row++) {
    const who = rows.description[row]!;
    const identity = identityOf(examiner, who);
    const explanation = identity && classifier.explain(identity);
    processes.push({ who, identity, explanation, rss: rows.rss[row]!, pss: rows.pss[row]! });
  }
  const unmatched = unmatchedOf(processes);
  const silent = seen - processes.length;
  if (json) return `${JSON.stringify(documentOf(processes, unmatched, silent), undefined, 2)}\n`;
  const known = processes.filter((proc) => !isUnmatched(proc)).length;
  const denied = examiner.unreadable
    .counts()
    .filter(({ reason, processes }) => reason === 'denied' && processes > 0)
    .map(
      ({ file, processes }) =>
        `${file} of ${plural(processes)} may not be read: as root there would be more to tell by`,
    );
  return [
    `${plural(known)} matched by a rule, ${processes.length - known} by none; ${silent} kernel threads and zombies left out`,
    ...denied,
    '',
    textTable(COLUMNS, linesOf(processes)),
    ...(unmatched.length > 0 ? ['', ...unmatchedText(unmatched)] : []),
    '',
  ].join('\n');
}

/** Undefined where the process has ended since it was collected, or another one has its pid, or it is the kernel's. */
function identityOf(examiner: Examiner, { pid, startTime }: ProcessDescription): Identity | undefined {
  return unlessUnreadable(() => {
    const proc = examiner.look(pid);
    if (!proc) return undefined;
    const same = !proc.kernelThread && Math.abs(examiner.startTime(proc) - startTime) < SAME_START;
    const identity = same ? examiner.identity(proc) : undefined;
    proc.files.close();
    return identity;
  });
}

/** Whether no rule put it where it is. */
const isUnmatched = ({ who }: Explained): boolean => who.rule === NO_RULE;

/** Kinds of unmatched processes, largest first, each with a rule where one was found. */
function unmatchedOf(processes: readonly Explained[]): Unmatched[] {
  const kinds = new Map<string, Unmatched>();
  const settled = new Map<string, Settled>();
  for (const proc of processes) {
    const { who, identity, explanation, pss, rss } = proc;
    const key = identity ? sameProgramKey(identity) : `${who.identity.name}\0${who.identity.exe}`;
    if (!isUnmatched(proc)) {
      const fallback = explanation?.winner?.rule.fallback ?? false;
      if (identity) settled.set(`${fallback} ${who.identity.name} ${key}`, { identity, fallback });
      continue;
    }
    const kind = kinds.get(key) ?? { processes: [], memory: 0, measured: 0, suggestion: undefined };
    kinds.set(key, kind);
    kind.processes.push(proc);
    kind.memory += pss >= 0 ? pss : rss || 0;
    if (pss >= 0) kind.measured++;
  }
  const others = [...settled.values()];
  const sorted = largestFirst(kinds.values());
  for (const kind of sorted.slice(0, MOST_SUGGESTIONS)) {
    const identities = kind.processes.flatMap(({ identity }) => identity ?? []);
    if (identities.length > 0) kind.suggestion = suggest(identities, others);
  }
  return largestFirst(merged(sorted));
}

/** Kinds for which one rule was found are one. */
function merged(kinds: readonly Unmatched[]): Iterable<Unmatched> {
  const found = new Map<unknown, Unmatched>();
  for (const kind of kinds) {
    const same = kind.suggestion && found.get(kind.suggestion);
    if (!same) {
      found.set(kind.suggestion ?? kind, kind);
      continue;
    }
    same.processes.push(...kind.processes);
    same.memory += kind.memory;
    same.measured += kind.measured;
  }
  return found.values();
}

const largestFirst = (kinds: Iterable<Unmatched>): Unmatched[] =>
  [...kinds].sort((a, b) => b.memory - a.memory || firstPid(a) - firstPid(b));

const firstPid = ({ processes }: Unmatched): number => processes[0]!.who.pid;

interface Line {
  readonly processes: Explained[];
  readonly near: readonly Verdict[];
}

/** Processes of one name, rule and set of near misses. */
function linesOf(processes: readonly Explained[]): Line[] {
  const lines = new Map<string, Line>();
  for (const proc of processes) {
    const { who, explanation } = proc;
    const near = explanation?.nearMisses ?? [];
    const key = [who.group, who.subgroup, unnumbered(who.identity.name), who.rule, nearText(near)].join('\0');
    const line = lines.get(key);
    if (line) line.processes.push(proc);
    else lines.set(key, { processes: [proc], near });
  }
  return [...lines].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, line]) => line);
}

const COLUMNS: readonly Column<Line>[] = [
  { head: 'NAME', text: ({ processes }) => namesText(processes) },
  { head: 'PID', text: ({ processes }) => pidsText(processes), right: true },
  { head: 'GROUP', text: ({ processes: [first] }) => `${first!.who.group}/${first!.who.subgroup}` },
  { head: 'RULE', text: ({ processes: [first] }) => first!.who.rule },
  { head: 'NEARLY MATCHED, BUT FOR', text: ({ near }) => nearText(near) },
];

const UNMATCHED_COLUMNS: readonly Column<Unmatched>[] = [
  { head: 'NAME', text: ({ processes }) => namesText(processes) },
  { head: 'PID', text: ({ processes }) => pidsText(processes), right: true },
  { head: 'MEMORY', text: ({ memory }) => shortBytes(memory), right: true },
  { head: 'WHICH IS', text: measureOf },
  { head: 'EXECUTABLE', text: ({ processes: [first] }) => first!.who.identity.exe || '–' },
  { head: 'RULE BELOW', text: proposalOf },
];

function proposalOf({ processes, suggestion }: Unmatched): string {
  if (suggestion) return subgroupOf(suggestion);
  return processes.some(({ identity }) => identity) ? 'none is sure to do' : 'none: it has ended';
}

function measureOf({ processes, measured }: Unmatched): string {
  if (measured === 0) return 'RSS';
  return measured === processes.length ? 'PSS' : 'PSS, RSS';
}

/** "fleet*" for fleet1 and fleet2; what has nothing but digits in common keeps its first name. */
function namesText(processes: readonly Explained[]): string {
  const names = new Set(processes.map(({ who }) => who.identity.name));
  const [first] = names;
  const stems = new Set([...names].map(unnumbered));
  if (names.size === 1) return first!;
  return stems.size === 1 ? unnumbered(first!) : `${first}, …`;
}

const unnumbered = (name: string): string => name.replace(/\d+/g, '*');

/** "812", "812 +11". */
const pidsText = ([first, ...more]: readonly Explained[]): string =>
  more.length === 0 ? String(first!.who.pid) : `${first!.who.pid} +${more.length}`;

/** "catalogue/db.toml#postgres: unit", of the first; all that failed is in the JSON. */
function nearText(near: readonly Verdict[]): string {
  const [first] = near;
  if (!first) return '';
  const keys = first.failed.map(({ key }) => key).join(', ');
  return `${first.rule.name}: ${keys}${near.length > 1 ? ` +${near.length - 1}` : ''}`;
}

const subgroupOf = (toml: string): string => /^subgroup = "(.*)"$/m.exec(toml)![1]!;

function unmatchedText(unmatched: readonly Unmatched[]): string[] {
  const shown = unmatched.slice(0, TOP);
  const rules = shown.flatMap(ruleText);
  return [
    'no rule matches, largest first:',
    '',
    textTable(UNMATCHED_COLUMNS, shown),
    ...(unmatched.length > shown.length ? [`… and ${unmatched.length - shown.length} more; --json lists all`] : []),
    ...(rules.length > 0
      ? ['', '# For subgroups.toml: each was tried on its processes. Name group and subgroup as you like.', ...rules]
      : []),
  ];
}

/** A rule with what it is for. */
const ruleText = ({ processes, memory, suggestion }: Unmatched): string[] =>
  suggestion
    ? ['', `# ${harmless(namesText(processes))}: ${plural(processes.length)}, ${shortBytes(memory)}`, suggestion]
    : [];

const plural = (processes: number): string => (processes === 1 ? '1 process' : `${processes} processes`);

function documentOf(processes: readonly Explained[], unmatched: readonly Unmatched[], silent: number) {
  const known = (value: number) => (Number.isNaN(value) ? undefined : value);
  return {
    processes: processes.map(({ who, identity, explanation, rss, pss }) => ({
      pid: who.pid,
      ...identityDocument(identity ?? who.identity),
      group: who.group,
      subgroup: who.subgroup,
      rule: who.rule,
      rss_bytes: known(rss),
      pss_bytes: known(pss),
      would_match: explanation?.others.map(verdictDocument),
      nearly_match: explanation?.nearMisses.map(verdictDocument),
    })),
    unmatched: unmatched.map((kind) => ({
      names: [...new Set(kind.processes.map(({ who }) => who.identity.name))],
      exe: kind.processes[0]!.who.identity.exe || undefined,
      pids: kind.processes.map(({ who }) => who.pid),
      memory_bytes: kind.memory,
      measured_as: measureOf(kind),
      suggestion: kind.suggestion,
    })),
    kernel_threads_and_zombies: silent,
    suggested_group: PROPOSED_GROUP,
  };
}
