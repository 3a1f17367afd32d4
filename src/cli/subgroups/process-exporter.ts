// Turns configurations of process-exporter into rules: who belongs to which of its groups stays as it was, and whatever
// has no equivalent is listed with what there is instead. Pure. What it means there was read in its source and tried.
import type { ParsedNode } from 'yaml';
import { composeYaml, MalformedFileError } from '../../config/formats.ts';
import { PatternError, regex } from '../../pattern/pattern.ts';
import { COMM_BYTES } from '../../rules/interpreter.ts';

/** One item of process_names. A list that is empty is not one that is missing: no comm equals it, every line does. */
export interface Entry {
  /** Of the configuration file; undefined for one that flags gave. */
  readonly line: number | undefined;
  /** Template of the group's name. */
  readonly name: string;
  readonly comm: readonly string[] | undefined;
  readonly exe: readonly string[] | undefined;
  readonly cmdline: readonly string[] | undefined;
}

/** One rule, with keys as rule files have them. */
export interface ImportedRule {
  readonly subgroup: string;
  readonly comm?: readonly string[];
  readonly argv0?: readonly string[];
  readonly argv?: readonly (readonly string[])[] | readonly string[];
}

/** What became of one entry. */
export interface Imported {
  readonly line: number | undefined;
  readonly rules: readonly ImportedRule[];
  /** What is different, and what to do. */
  readonly notes: readonly string[];
}

type Node = ParsedNode | null;

/** @throws Malformed for what process-exporter refuses too, or where it would monitor nothing */
export async function readEntries(text: string): Promise<Entry[]> {
  const { isAlias, isMap, isScalar, isSeq } = await import('yaml');
  const { root, line } = await composeYaml(text, 8, 'YAML 1.1');
  const lineOf = (node: Node) => (node ? line(node) : 1);
  /** Numbers and truth values are the text they were written as; nothing at all is undefined. */
  const scalar = (node: Node, what: string): string | undefined => {
    if (isAlias(node)) throw new MalformedFileError(line(node), `${what} is a YAML alias; write its value out`);
    if (node !== null && !isScalar(node)) throw new MalformedFileError(line(node), `${what} must be a string`);
    if (node === null || node.value === null) return undefined;
    return typeof node.value === 'string' ? node.value : (node.source ?? String(node.value));
  };
  const list = (node: Node, what: string): string[] | undefined => {
    if (isSeq(node)) return node.items.map((item) => scalar(item, what) ?? '');
    if (scalar(node, what) === undefined) return undefined;
    throw new MalformedFileError(lineOf(node), `${what} must be a list: write "- " before its value`);
  };
  /** Of two values of one key the later one counts. */
  const member = (node: Node, key: string): Node => {
    if (!isMap(node)) throw new MalformedFileError(lineOf(node), 'must have keys, such as comm: or process_names:');
    return node.items.findLast((pair) => isScalar(pair.key) && pair.key.value === key)?.value ?? null;
  };
  const names = member(root, 'process_names');
  if (!isSeq(names))
    throw new MalformedFileError(lineOf(root), 'has no list process_names; give the file that -config.path names');
  return names.items.map((item) => {
    const [comm, exe, cmdline] = ['comm', 'exe', 'cmdline'].map((key) => list(member(item, key), key));
    const name = scalar(member(item, 'name'), 'name') || '{{.ExeBase}}';
    if (!comm && !exe && !cmdline)
      throw new MalformedFileError(
        lineOf(item),
        'has neither comm nor exe nor cmdline: process-exporter refuses it too',
      );
    if (/\{\{/.test(name.replace(ACTION, '')))
      throw new MalformedFileError(lineOf(item), 'has a name whose {{ is not closed: process-exporter refuses it too');
    return { line: lineOf(item), name, comm, exe, cmdline };
  });
}

/** What a template has filled in. */
const ACTION = /\{\{\s*([\s\S]*?)\s*\}\}/g;

/**
 * What -procnames and -namemapping select: names, and pairs of a name and an expression whose first capture is appended.
 * @throws Malformed for what process-exporter refuses too
 */
export function flagEntries(names: string, mapping: string): Entry[] {
  const words = mapping === '' ? [] : mapping.split(',');
  if (words.length % 2 === 1 || words.includes(''))
    throw new MalformedFileError(1, '-namemapping is a list of pairs, name and expression, none of them empty');
  const pairs = new Map(words.flatMap((word, i) => (i % 2 === 0 ? [[word, words[i + 1]!]] : [])));
  const plain = names.split(',').filter((name) => name !== '' && !pairs.has(name));
  const entry = { line: undefined, exe: undefined };
  return [
    ...[...pairs].map(([name, line]) => ({ ...entry, name: `${name}:{{.Capture}}`, comm: [name], cmdline: [line] })),
    ...[...new Set(plain)].map((name) => ({ ...entry, name, comm: [name], cmdline: undefined })),
  ];
}

/** Every entry with its rules; first match wins there as here. */
export function importEntries(entries: readonly Entry[]): Imported[] {
  let everything: Entry | undefined;
  return entries.map((entry) => {
    if (everything) {
      const notes = [`is never asked there: ${placeOf(everything)} takes every process before; left out`];
      return { line: entry.line, rules: [], notes };
    }
    if (takesEverything(entry)) everything = entry;
    return importEntry(entry);
  });
}

const placeOf = ({ line }: Entry) => (line === undefined ? 'an earlier one' : `the entry in line ${line}`);

/** Whether every process that has a command line is meant. */
const takesEverything = ({ comm, exe, cmdline = ['x'] }: Entry): boolean =>
  !comm && !exe && cmdline.every((source) => EVERY_LINE.test(source));

/** Expressions found in any command line. */
const EVERY_LINE = /^(?:\^?|\$|\.\??|\^?\.[*+]\??\$?)$/;

function importEntry(entry: Entry): Imported {
  const notes: string[] = [];
  const comm = entry.comm && commOf(entry.comm, notes);
  const exe = entry.exe && exeOf(entry.exe, notes);
  const argv = argvOf(entry.cmdline ?? [], notes);
  const none = (note: string) => ({ line: entry.line, rules: [], notes: [...notes, note] });
  if (comm?.length === 0 || exe?.length === 0) return none('matches nothing there; left out');
  if (!argv) return none('is left out, so that later entries may take its processes');
  const { groups, near, dynamic } = namesOf(entry, comm, exe);
  if (takesEverything(entry)) {
    const [first] = dynamic;
    if (first)
      return none(
        `takes every process there, one group for each ${first}; left out, for it would leave nothing to the catalogue: ` +
          `that knows most programs, and ${insteadOf(first)}`,
      );
    notes.push('takes every process, so the catalogue decides nothing; delete it to let the catalogue decide');
  }
  for (const action of near)
    notes.push(
      `is named after its ${action.slice(1)} there, here after the value it asks for: the same wherever programs run ` +
        'under their own name',
    );
  for (const action of dynamic)
    notes.push(`has a group for each ${action} there, here one for all of them: ${insteadOf(action)}`);
  const rules = groups.map(({ name, comm, exe }) => ({
    subgroup: label(name, notes),
    ...(comm && { comm: comm.map(escaped) }),
    ...(exe && { argv0: exe.map(escaped) }),
    ...(argv.length > 0 && { argv: argv.length === 1 ? argv : [argv] }),
    ...(!comm && !exe && argv.length === 0 && { argv: ['^'] }),
  }));
  return { line: entry.line, rules, notes };
}

/** A value that is compared as it is. */
const escaped = (text: string): string => text.replace(/[*?[\\]/g, '\\$&');

function commOf(values: readonly string[], notes: string[]): string[] {
  const fits = (value: string) => Buffer.byteLength(value) <= COMM_BYTES;
  for (const value of values.filter((value) => !fits(value)))
    notes.push(
      `comm "${value}" is longer than the kernel's ${COMM_BYTES} bytes and matches nothing there; left out: ` +
        `with comm = "${value}" it would match here`,
    );
  return [...new Set(values.filter((value) => value !== '' && fits(value)))];
}

/** There, of values with one base name the last one counts. */
function exeOf(values: readonly string[], notes: string[]): string[] {
  const byName = new Map<string, string>();
  for (const value of values.filter(Boolean)) {
    const name = baseOf(value);
    const before = byName.get(name);
    if (before !== undefined && before !== value)
      notes.push(`exe "${before}" gives way there to the later "${value}" of the same base name; left out`);
    byName.set(name, value);
  }
  return [...byName.values()];
}

const baseOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** Go's expressions as ours, those that every line has left out; undefined where one cannot be said. */
function argvOf(sources: readonly string[], notes: string[]): string[] | undefined {
  let good = true;
  const found = sources.filter((source) => !EVERY_LINE.test(source) || sources.length === 1);
  const argv = found.map((source) => {
    const quoted = source.replace(/\\Q([\s\S]*?)(?:\\E|$)/g, (_, text: string) => text.replace(/\W/gu, '\\$&'));
    const dots = /\./.test(quoted.replace(/\\[\s\S]|\[\^?\]?(?:\\[\s\S]|\[:\^?\w+:\]|[^\]])*\]/g, ''));
    const ours = dots && !/^\.[*+]$/.test(quoted) ? `(?-s)${quoted}` : quoted || '^';
    try {
      regex(ours);
    } catch (error) {
      if (!(error instanceof PatternError)) throw error;
      notes.push(`cmdline ${JSON.stringify(source)} cannot be said here: ${error.message}; write it otherwise`);
      good = false;
    }
    return ours;
  });
  return good ? argv : undefined;
}

interface Group {
  readonly name: string;
  readonly comm: readonly string[] | undefined;
  readonly exe: readonly string[] | undefined;
}

/** What a name that is known only once a process runs is told by here. */
const INSTEAD: Readonly<Record<string, string>> = {
  Comm: 'the label name of the per-process families tells them apart',
  ExeBase: 'the label exe of herakles_process_info tells them apart',
  ExeFull: 'the label exe of herakles_process_info tells them apart',
  Username: 'the label user of herakles_process_info tells them apart',
  Cgroups:
    'unit, container_id and pod_uid of herakles_process_info tell them apart, and rules can ask for a unit or container',
  PID: 'the label pid of the per-process families tells them apart',
  StartTime: 'herakles_process_start_time_seconds tells them apart',
};

const insteadOf = (action: string): string =>
  INSTEAD[/^\.(\w+)/.exec(action)?.[1] ?? ''] ?? 'write one rule for each value that matters, before this one';

/**
 * The groups a template can name: one for each value of the selector it repeats. What only a running process can tell
 * stands in parentheses, and makes one group of many.
 */
function namesOf({ name, cmdline = [] }: Entry, comm: Group['comm'], exe: Group['exe']) {
  const template = name.replace(/\s*\{\{-\s/g, '{{').replace(/\s-\}\}\s*/g, '}}');
  const used = [...template.matchAll(ACTION)].map(([, action]) => action!);
  const [asksComm, asksExe] = [used.includes('.Comm'), used.some((action) => /^\.Exe/.test(action))];
  const [near, dynamic] = [new Set<string>(), new Set<string>()];
  const groups: Group[] = [];
  for (const oneComm of comm && (asksComm || (asksExe && !exe)) ? comm : [undefined]) {
    for (const oneExe of exe && (asksExe || (asksComm && !comm)) ? exe : [undefined]) {
      const filled = template.replace(ACTION, (_, action: string) => {
        const known = told(action, oneComm, oneExe, cmdline);
        if (!known) dynamic.add(action);
        else if (!known.exact) near.add(action);
        return known?.value ?? `(${placeholder(action, cmdline)})`;
      });
      groups.push({ name: filled, comm: oneComm ? [oneComm] : comm, exe: oneExe ? [oneExe] : exe });
    }
  }
  return { groups, near, dynamic: [...dynamic] };
}

const placeholder = (action: string, cmdline: readonly string[]): string =>
  action === '.Matches' ? cmdline.join(' ') : (/\w+(?=\W*$)/.exec(action)?.[0] ?? 'name');

/** What a variable stands for, as far as the selectors tell; not exact where another one has to tell. */
function told(action: string, comm: string | undefined, exe: string | undefined, cmdline: readonly string[]) {
  if (action === '.Comm' && comm !== undefined) return { value: comm, exact: true };
  if (action === '.Comm' && exe !== undefined) return { value: baseOf(exe).slice(0, COMM_BYTES), exact: false };
  if (action === '.ExeFull' && exe !== undefined) return { value: exe, exact: exe.includes('/') };
  if (action === '.ExeBase' && exe !== undefined) return { value: baseOf(exe), exact: true };
  if (/^\.Exe(?:Base|Full)$/.test(action) && comm !== undefined) return { value: comm, exact: false };
  // Without captures .Matches is what the last expression found, as Go prints a map of it.
  const last = cmdline.at(-1) ?? '';
  if (action !== '.Matches' || cmdline.some((source) => source.includes('('))) return undefined;
  if (!/^(?:[\w /:=,@%~.-]|\\[\W_])+$/.test(last)) return undefined;
  return { value: `map[:${last.replace(/\\(.)/g, '$1')}]`, exact: !/(?<!\\)\./.test(last) };
}

const MAX_LABEL = 100;

/** A name that a label takes. */
function label(name: string, notes: string[]): string {
  const fit = name.replace(/[\x00-\x1f\x7f-\x9f]/g, ' ').slice(0, MAX_LABEL) || '(empty)';
  if (fit !== name) notes.push(`its name becomes "${fit}": labels have 1 to ${MAX_LABEL} printable characters`);
  return fit;
}
