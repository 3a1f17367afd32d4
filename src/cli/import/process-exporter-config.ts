// Parses configurations of process-exporter (github.com/ncabatoff/process-exporter, 0.7 and 0.8): its YAML file, and its
// flags -procnames and -namemapping. Pure. What a configuration means was read in its source and tried with the program.
// One entry of a file: {name: "{{.Comm}}", comm: [bash, sh], cmdline: ["-c"]}
import { MalformedFileError } from '../../config/malformed-file.ts';
import { composeYaml, isAlias, isMap, isScalar, isSeq, type YamlNode } from '../../config/yaml-tree.ts';

/** One item of process_names. An empty list differs from a missing one: an empty comm matches no process. */
export interface Entry {
  /** Of the configuration file; undefined for an entry that flags gave. */
  readonly line: number | undefined;
  /** Go template of the group's name. */
  readonly name: string;
  readonly comm: readonly string[] | undefined;
  readonly exe: readonly string[] | undefined;
  readonly cmdline: readonly string[] | undefined;
}

type Node = YamlNode | null;

/** @throws MalformedFileError for a file that process-exporter refuses too, or with which it would monitor nothing */
export async function parseEntries(text: string): Promise<Entry[]> {
  const root = await composeYaml(text, 8, 'YAML 1.1');
  const lineOf = (node: Node) => node?.line ?? 1;
  /** Numbers and booleans become the text that was written, as in Go; no value is undefined. */
  const scalar = (node: Node, what: string): string | undefined => {
    if (isAlias(node)) throw new MalformedFileError(lineOf(node), `${what} is a YAML alias; write its value out`);
    if (node !== null && !isScalar(node)) throw new MalformedFileError(node.line, `${what} must be a string`);
    if (node === null || node.value === null) return undefined;
    return typeof node.value === 'string' ? node.value : (node.source ?? String(node.value));
  };
  const list = (node: Node, what: string): string[] | undefined => {
    if (isSeq(node)) return node.items.map((item) => scalar(item, what) ?? '');
    if (scalar(node, what) === undefined) return undefined;
    throw new MalformedFileError(lineOf(node), `${what} must be a list: write "- " before its value`);
  };
  /** Of two values of one key the later one counts, as in Go. */
  const member = (node: Node, key: string): Node => {
    if (!isMap(node)) throw new MalformedFileError(lineOf(node), 'must have keys, such as comm: or process_names:');
    return node.items.findLast((pair) => isScalar(pair.key) && pair.key.value === key)?.value ?? null;
  };
  const names = member(root, 'process_names');
  if (!isSeq(names))
    throw new MalformedFileError(
      lineOf(root),
      'has no list process_names; give the file that process-exporter is given with -config.path',
    );
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

/** An action of a Go template, which process-exporter replaces: {{.ExeBase}} */
export const ACTION = /\{\{\s*([\s\S]*?)\s*\}\}/g;

/**
 * @param names of -procnames: "bash,nginx"
 * @param mapping of -namemapping: pairs of a name and an expression, whose first capture is appended to the name
 * @throws MalformedFileError where process-exporter refuses them too
 */
export function parseNameFlags(names: string, mapping: string): Entry[] {
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
