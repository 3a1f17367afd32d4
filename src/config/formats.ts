// The text of a configuration file → its flat keys with values and lines. Pure. A parser is loaded only when a file of
// its format exists, because it takes resident memory. Any text gives entries or Malformed, and nothing else.
//
// JSON is YAML 1.2, so the YAML parser reads it: JSON.parse knows neither lines nor keys that are written twice. But
// JSON.parse decides what is JSON: a comment, or a comma after the last value, is refused in a .json file.
import type { CST, ParsedNode, Range, YAMLMap } from 'yaml';

/** One key as written; a key written twice gives two. A value is a scalar, a list of scalars, or {} for all the rest. */
export interface ConfigFileEntry {
  readonly key: string;
  readonly value: unknown;
  /** Counted from 1. */
  readonly line: number;
}

/** The text is not of its format, or has values inside values. The message says what is wrong and what to do instead. */
export class MalformedFileError extends Error {
  readonly line: number;
  constructor(line: number, message: string) {
    super(message);
    this.line = line;
  }
}

/** How files are parsed, by the ending of their names. */
export const formats = new Map<string, (text: string) => ConfigFileEntry[] | Promise<ConfigFileEntry[]>>([
  ['yaml', parseYaml],
  ['yml', parseYaml],
  ['json', parseJson],
  ['toml', parseToml],
]);

const deep = 'is nested too deep; write keys with plain values';
const shorten = (text: string) => (text.length > 100 ? `${text.slice(0, 100)}…` : text);

/** Dates, tables and everything else that no setting takes become {}, so that nobody has to look inside a value. */
const flat = (value: unknown): unknown => (typeof value === 'object' && value !== null ? {} : value);

/** One YAML document as a tree, and the line of a node in it. */
export interface YamlTree {
  readonly root: ParsedNode | null;
  line(node: { readonly range?: Range | null | undefined }): number;
}

/** YAML 1.1 is what Go's yaml.v2 takes, and exporter-toolkit with it. JSON is YAML 1.2 with fewer scalars. */
type YamlDialect = 'YAML 1.1' | 'YAML 1.2' | 'JSON';

const DIALECTS = {
  'YAML 1.1': { version: '1.1' },
  'YAML 1.2': { version: '1.2' },
  JSON: { version: '1.2', schema: 'json' },
} as const;

/** Messages of the YAML parser that would puzzle somebody who wrote JSON. */
const JSON_FAULTS: ReadonlyMap<string, string> = new Map([
  ['Unresolved plain scalar', 'a value is missing, or text is not in double quotes'],
  ['Implicit keys need to be on a single line', 'a comma is missing'],
  ['Unexpected flow-map-start at node end', 'a second object begins'],
]);

/** @param levels collections inside collections that are let through @throws Malformed */
export async function composeYaml(text: string, levels: number, dialect: YamlDialect): Promise<YamlTree> {
  const { Composer, LineCounter, Parser } = await import('yaml');
  const lines = new LineCounter();
  const line = (offset: number) => lines.linePos(offset).line;
  const tokens = [...new Parser(lines.addNewLine).parse(text)];
  // Composing is recursive: input that is deep enough would end the process inside V8, where no catch helps.
  for (const token of tokens) {
    const [at, nested] = token.type === 'document' ? [token.offset, nests(token.value, levels)] : [0, false];
    if (nested) throw new MalformedFileError(line(at), deep);
  }
  const options = { prettyErrors: false, uniqueKeys: false, logLevel: 'silent', ...DIALECTS[dialect] } as const;
  const [document, second] = new Composer(options).compose(tokens, true, text.length);
  const problem = document!.errors[0] ?? document!.warnings[0];
  if (problem) {
    // Some messages end in the text of the line, which may be a secret.
    const what = problem.message.replace(/:? ".*$/s, '');
    const [language, reason] = dialect === 'JSON' ? [dialect, JSON_FAULTS.get(what) ?? what] : ['YAML', what];
    throw new MalformedFileError(
      line(problem.pos[0]),
      `is not valid ${language} (${shorten(reason)}); correct this line`,
    );
  }
  if (second) throw new MalformedFileError(line(second.range[0]), 'starts a second YAML document; keep one');
  return { root: document!.contents, line: ({ range }) => line(range![0]) };
}

async function parseYaml(text: string): Promise<ConfigFileEntry[]> {
  const { isMap, isScalar } = await import('yaml');
  const { root, line } = await composeYaml(text, 4, 'YAML 1.2');
  if (root === null || (isScalar(root) && root.value === null)) return [];
  if (!isMap(root)) throw new MalformedFileError(line(root), 'is no mapping; write lines of the form key: value');
  return entriesOf(root, line);
}

async function entriesOf(root: YAMLMap.Parsed, line: YamlTree['line']): Promise<ConfigFileEntry[]> {
  const { isAlias, isScalar, isSeq } = await import('yaml');
  return root.items.map(({ key, value }) => {
    if (!isScalar(key)) throw new MalformedFileError(line(root), 'has a key that is no plain name; write key: value');
    const at = line(key);
    const plain = (node: unknown) => {
      if (isAlias(node)) throw new MalformedFileError(at, 'uses a YAML alias; write the value out');
      return isScalar(node) ? flat(node.value) : flat(node);
    };
    return { key: String(key.value), value: isSeq(value) ? value.items.map(plain) : plain(value), line: at };
  });
}

/** Whether a token of the syntax tree has collections more than `levels` deep; it looks no deeper. */
function nests(token: CST.Token | null | undefined, levels: number): boolean {
  if (!token || !('items' in token)) return false;
  return levels === 0 || token.items.some((item) => nests(item.key, levels - 1) || nests(item.value, levels - 1));
}

async function parseJson(text: string): Promise<ConfigFileEntry[]> {
  const { isMap } = await import('yaml');
  const { root, line } = await composeYaml(text.replace(/\r(?!\n)/g, ' '), 4, 'JSON');
  if (!isMap(root)) throw new MalformedFileError(root ? line(root) : 1, 'is no object; write {"key": value, …}');
  try {
    JSON.parse(text);
  } catch {
    throw new MalformedFileError(
      lineOfYaml(text),
      'is valid YAML, but not valid JSON; correct this line, or name the file .yaml',
    );
  }
  return entriesOf(root, line);
}

/** A string of JSON (RFC 8259, section 7). */
const JSON_STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*"/g;

/**
 * What YAML has in braces and JSON has not, where each string is a run of quotes: a comma before a closing bracket, a
 * character of no JSON token, `---`, a string that JSON does not end, a key without quotes, a key without a value.
 */
const YAML_ONLY = /(?<=,\s*)[}\]]|[^\s{}[\],:"\w.+-]|---|"(?=[^"\s,:}\]])|[\w.+-](?=\s*:)|(?<=\{\s*)"(?="*\s*[,}])/;

/** The line, from 1, of the first thing in a text that makes it YAML and not JSON. */
function lineOfYaml(text: string): number {
  const masked = text.replace(JSON_STRING, ({ length }) => '"'.repeat(length));
  return text.slice(0, Math.max(0, masked.search(YAML_ONLY))).split('\n').length;
}

async function parseToml(text: string): Promise<ConfigFileEntry[]> {
  const { parse, TomlError } = await import('smol-toml');
  try {
    const parsed = Object.entries(parse(text, { maxDepth: 8 }));
    // The parser does not give the line of a key. A flat key, or a table by mistake, starts a line.
    const lines = new Map<string, number>();
    for (const [i, line] of text.split('\n').entries()) {
      const [, double, single, bare] = /^\s*\[*\s*(?:"([^"]*)"|'([^']*)'|([^\s.=\]]+))/.exec(line) ?? [];
      const key = double ?? single ?? bare;
      if (key !== undefined && !lines.has(key)) lines.set(key, i + 1);
    }
    const plain = (value: unknown) => (Array.isArray(value) ? value.map(flat) : flat(value));
    return parsed.map(([key, value]) => ({ key, value: plain(value), line: lines.get(key) ?? 1 }));
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const what = error.message.split('\n')[0]!.replace('Invalid TOML document: ', '');
    throw new MalformedFileError(error.line, `is not valid TOML (${shorten(what)}); correct this line`);
  }
}
