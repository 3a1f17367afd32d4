// Turns entries of process-exporter's configuration into rules, so that the same processes get into the same groups. What
// has no equivalent becomes a note: what is different, and what to do about it. Pure.
import { PatternError, regex } from '../../pattern/pattern.ts';
import { COMM_BYTES } from '../../rules/full-name.ts';
import { baseOf, groupNames, insteadOf } from './group-names.ts';
import type { Entry } from './process-exporter-config.ts';

/** One rule, with keys as rule files have them. */
export interface ImportedRule {
  readonly subgroup: string;
  readonly comm?: readonly string[];
  readonly argv0?: readonly string[];
  readonly argv?: readonly (readonly string[])[] | readonly string[];
}

/** What becomes of one entry. */
export interface ImportedEntry {
  /** Of the configuration file; undefined for an entry that flags gave. */
  readonly line: number | undefined;
  readonly rules: readonly ImportedRule[];
  /** Each says what is different here, and what to do. Its subject is the entry: "matches nothing in …" */
  readonly notes: readonly string[];
}

/** The first entry that matches a process wins, as the first rule does here, so the order stays. */
export function importEntries(entries: readonly Entry[]): ImportedEntry[] {
  let catchAll: Entry | undefined;
  return entries.map((entry) => {
    if (catchAll) {
      const notes = [
        `never matches in process-exporter, because ${placeOf(catchAll)} takes every process first; left out`,
      ];
      return { line: entry.line, rules: [], notes };
    }
    if (takesEverything(entry)) catchAll = entry;
    return importEntry(entry);
  });
}

const placeOf = ({ line }: Entry) => (line === undefined ? 'an earlier entry' : `the entry in line ${line}`);

/** Whether the entry matches every process that has a command line. */
const takesEverything = ({ comm, exe, cmdline = ['x'] }: Entry): boolean =>
  !comm && !exe && cmdline.every((source) => EVERY_LINE.test(source));

/** Expressions that match any command line. */
const EVERY_LINE = /^(?:\^?|\$|\.\??|\^?\.[*+]\??\$?)$/;

function importEntry(entry: Entry): ImportedEntry {
  const notes: string[] = [];
  const comm = entry.comm && commOf(entry.comm, notes);
  const exe = entry.exe && exeOf(entry.exe, notes);
  const argv = argvOf(entry.cmdline ?? [], notes);
  const nothing = (note: string) => ({ line: entry.line, rules: [], notes: [...notes, note] });
  if (comm?.length === 0 || exe?.length === 0) return nothing('matches nothing in process-exporter; left out');
  if (!argv) return nothing('is left out, so that later entries may take its processes');
  const { groups, inexact, dynamic } = groupNames(entry, comm, exe);
  if (takesEverything(entry)) {
    const [first] = dynamic;
    if (first)
      return nothing(
        `takes every process in process-exporter, with one group for each ${first}; left out, because the catalogue ` +
          `would decide nothing then. The catalogue knows most programs, and ${insteadOf(first)}`,
      );
    notes.push('takes every process, so the catalogue decides nothing; delete it to let the catalogue decide');
  }
  for (const action of inexact)
    notes.push(
      `is named after ${action.slice(1)} in process-exporter, and after the configured value here; both are the same ` +
        'where a program runs under its own name',
    );
  for (const action of dynamic)
    notes.push(
      `has one group for each ${action} in process-exporter, and one group for all of them here: ${insteadOf(action)}`,
    );
  const rules = groups.map(({ name, comm, exe }) => ({
    subgroup: labelOf(name, notes),
    ...(comm && { comm: comm.map(globOf) }),
    ...(exe && { argv0: exe.map(globOf) }),
    ...(argv.length > 0 && { argv: argv.length === 1 ? argv : [argv] }),
    ...(!comm && !exe && argv.length === 0 && { argv: ['^'] }),
  }));
  return { line: entry.line, rules, notes };
}

/** A glob that matches only this text. */
const globOf = (text: string): string => text.replace(/[*?[\\]/g, '\\$&');

/** Values that are too long or empty match nothing, and are left out. */
function commOf(values: readonly string[], notes: string[]): string[] {
  const fits = (value: string) => Buffer.byteLength(value) <= COMM_BYTES;
  for (const value of values.filter((value) => !fits(value)))
    notes.push(
      `comm "${value}" is longer than the kernel's ${COMM_BYTES} bytes and matches nothing in process-exporter; left ` +
        `out. Here a rule with comm = "${value}" would match`,
    );
  return [...new Set(values.filter((value) => value !== '' && fits(value)))];
}

/** Of several values with the same base name, process-exporter uses the last one. */
function exeOf(values: readonly string[], notes: string[]): string[] {
  const byName = new Map<string, string>();
  for (const value of values.filter(Boolean)) {
    const name = baseOf(value);
    const before = byName.get(name);
    if (before !== undefined && before !== value)
      notes.push(
        `exe "${before}" is left out: process-exporter uses the later "${value}", which has the same base name`,
      );
    byName.set(name, value);
  }
  return [...byName.values()];
}

/**
 * Go's expressions in our syntax, without those that match every line. Go has \Q…\E, which here every character
 * is escaped for; and a dot there does not match a newline.
 * @returns undefined where an expression has no equivalent
 */
function argvOf(sources: readonly string[], notes: string[]): string[] | undefined {
  let good = true;
  const telling = sources.filter((source) => !EVERY_LINE.test(source) || sources.length === 1);
  const argv = telling.map((source) => {
    const quoted = source.replace(/\\Q([\s\S]*?)(?:\\E|$)/g, (_, text: string) => text.replace(/\W/gu, '\\$&'));
    const dots = /\./.test(quoted.replace(/\\[\s\S]|\[\^?\]?(?:\\[\s\S]|\[:\^?\w+:\]|[^\]])*\]/g, ''));
    const ours = dots && !/^\.[*+]$/.test(quoted) ? `(?-s)${quoted}` : quoted || '^';
    try {
      regex(ours);
    } catch (error) {
      if (!(error instanceof PatternError)) throw error;
      notes.push(
        `cmdline ${JSON.stringify(source)} has no equivalent here: ${error.message}; write another expression`,
      );
      good = false;
    }
    return ours;
  });
  return good ? argv : undefined;
}

/** Longest group name of a rule, characters. */
const LABEL_MAX = 100;

/** The name, changed where a label cannot have it. */
function labelOf(name: string, notes: string[]): string {
  const fit = name.replace(/[\x00-\x1f\x7f-\x9f]/g, ' ').slice(0, LABEL_MAX) || '(empty)';
  if (fit !== name) notes.push(`its name becomes "${fit}": labels have 1 to ${LABEL_MAX} printable characters`);
  return fit;
}
