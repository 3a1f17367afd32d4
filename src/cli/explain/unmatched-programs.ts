// Processes that no rule matches, as programs: processes of one program are one entry, with one suggested rule. The largest
// come first, because they are worth a rule most.
import { type ExplainedProcess, isUnmatched } from './explained-processes.ts';
import { type MatchedProcess, programKey, suggestRule } from './suggested-rule.ts';

export interface UnmatchedProgram {
  readonly processes: ExplainedProcess[];
  /** Bytes: the sum of PSS, and of RSS for processes whose PSS cannot be read. */
  memory: number;
  /** How many of the processes have a PSS. */
  measured: number;
  /** A rule for them, as TOML; undefined where none was found. */
  suggestion: string | undefined;
}

/** Rules are suggested only for this many programs, the largest, because each rule takes some milliseconds. */
const SUGGESTIONS_MAX = 300;

/** The largest first. */
export function unmatchedPrograms(processes: readonly ExplainedProcess[]): UnmatchedProgram[] {
  const programs = new Map<string, UnmatchedProgram>();
  for (const proc of processes.filter(isUnmatched)) {
    const { pss, rss } = proc;
    const key = keyOf(proc);
    const program = programs.get(key) ?? { processes: [], memory: 0, measured: 0, suggestion: undefined };
    programs.set(key, program);
    program.processes.push(proc);
    program.memory += pss >= 0 ? pss : rss || 0;
    if (pss >= 0) program.measured++;
  }
  const matched = matchedProcesses(processes);
  const sorted = largestFirst(programs.values());
  for (const program of sorted.slice(0, SUGGESTIONS_MAX)) {
    const identities = program.processes.flatMap(({ identity }) => identity ?? []);
    if (identities.length > 0) program.suggestion = suggestRule(identities, matched);
  }
  return largestFirst(mergeEqualSuggestions(sorted));
}

const keyOf = ({ identity, description }: ExplainedProcess): string =>
  identity ? programKey(identity) : `${description.identity.name}\0${description.identity.exe}`;

/** One process for each name of each program that a rule matches: more would make the trial of suggestions slow. */
function matchedProcesses(processes: readonly ExplainedProcess[]): MatchedProcess[] {
  const matched = new Map<string, MatchedProcess>();
  for (const proc of processes) {
    const { identity, explanation, description } = proc;
    if (isUnmatched(proc) || !identity) continue;
    const fallback = explanation?.winner?.rule.fallback ?? false;
    matched.set(`${fallback} ${description.identity.name} ${keyOf(proc)}`, { identity, fallback });
  }
  return [...matched.values()];
}

function mergeEqualSuggestions(programs: readonly UnmatchedProgram[]): Iterable<UnmatchedProgram> {
  const merged = new Map<unknown, UnmatchedProgram>();
  for (const program of programs) {
    const same = program.suggestion && merged.get(program.suggestion);
    if (!same) {
      merged.set(program.suggestion ?? program, program);
      continue;
    }
    same.processes.push(...program.processes);
    same.memory += program.memory;
    same.measured += program.measured;
  }
  return merged.values();
}

const largestFirst = (programs: Iterable<UnmatchedProgram>): UnmatchedProgram[] =>
  [...programs].sort((a, b) => b.memory - a.memory || firstPid(a) - firstPid(b));

const firstPid = ({ processes }: UnmatchedProgram): number => processes[0]!.description.pid;

/** What `memory` is the sum of. */
export function measuredAs({ processes, measured }: UnmatchedProgram): string {
  if (measured === 0) return 'RSS';
  return measured === processes.length ? 'PSS' : 'PSS, RSS';
}
