// The text of a configuration file → its flat keys with values and lines. Pure; a parser is loaded only when a file of
// its format exists, since resident memory counts. Any text gives entries or Malformed, and nothing else.
import type { CST, ParsedNode, Range } from 'yaml';

/** One key as written, duplicates included. A value is a scalar, a list of scalars, or an object that no kind takes. */
export interface FormatEntry {
  readonly key: string;
  readonly value: unknown;
  /** Counted from 1. */
  readonly line: number;
}

/** The text is not of its format, or not flat. The message says what, and what to do instead. */
export class Malformed extends Error {
  readonly line: number;
  constructor(line: number, message: string) {
    super(message);
    this.line = line;
  }
}

/** Endings of file names, and how files of that name are parsed. */
export const formats = new Map<string, (text: string) => FormatEntry[] | Promise<FormatEntry[]>>([
  ['yaml', parseYaml],
  ['yml', parseYaml],
  ['json', parseJson],
  ['toml', parseToml],
]);

const deep = 'is nested too deep; write keys with plain values';
const shorten = (text: string) => (text.length > 100 ? `${text.slice(0, 100)}…` : text);

/** Dates, tables and whatever else no setting takes become {}: nothing behind this point walks into a value. */
const flat = (value: unknown): unknown => (typeof value === 'object' && value !== null ? {} : value);

/** One YAML document as a tree, and the line of a node in it. */
export interface YamlTree {
  readonly root: ParsedNode | null;
  line(node: { readonly range?: Range | null | undefined }): number;
}

/** @param levels collections inside collections that are let through @throws Malformed */
export async function composeYaml(text: string, levels: number, version: '1.1' | '1.2'): Promise<YamlTree> {
  const { Composer, LineCounter, Parser } = await import('yaml');
  const lines = new LineCounter();
  const line = (offset: number) => lines.linePos(offset).line;
  const tokens = [...new Parser(lines.addNewLine).parse(text)];
  // Composing is recursive, and deep enough input ends the process in V8, past every catch: refused before.
  for (const token of tokens) {
    const [at, nested] = token.type === 'document' ? [token.offset, nests(token.value, levels)] : [0, false];
    if (nested) throw new Malformed(line(at), deep);
  }
  const options = { prettyErrors: false, uniqueKeys: false, logLevel: 'silent', version } as const;
  const [document, second] = new Composer(options).compose(tokens, true, text.length);
  const problem = document!.errors[0] ?? document!.warnings[0];
  if (problem) {
    // Some messages end in what the line holds, which may be a secret.
    const what = problem.message.replace(/: ".*$/s, '');
    throw new Malformed(line(problem.pos[0]), `is not valid YAML (${shorten(what)}); correct this line`);
  }
  if (second) throw new Malformed(line(second.range[0]), 'starts a second YAML document; keep one');
  return { root: document!.contents, line: ({ range }) => line(range![0]) };
}

async function parseYaml(text: string): Promise<FormatEntry[]> {
  const { isAlias, isMap, isScalar, isSeq } = await import('yaml');
  const { root, line } = await composeYaml(text, 4, '1.2');
  if (root === null || (isScalar(root) && root.value === null)) return [];
  if (!isMap(root)) throw new Malformed(line(root), 'is no mapping; write lines of the form key: value');
  return root.items.map(({ key, value }) => {
    if (!isScalar(key)) throw new Malformed(line(root), 'has a key that is no plain name; write key: value');
    const at = line(key);
    const plain = (node: unknown) => {
      if (isAlias(node)) throw new Malformed(at, 'uses a YAML alias; write the value out');
      return isScalar(node) ? flat(node.value) : flat(node);
    };
    return { key: String(key.value), value: isSeq(value) ? value.items.map(plain) : plain(value), line: at };
  });
}

/** Whether a token of the concrete syntax holds collections more than `levels` deep; looks no deeper. */
function nests(token: CST.Token | null | undefined, levels: number): boolean {
  if (!token || !('items' in token)) return false;
  return levels === 0 || token.items.some((item) => nests(item.key, levels - 1) || nests(item.value, levels - 1));
}

const json =
  /[ \t\r\n]*([{}[\],:]|"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null|$)/y;

/** RFC 8259 as far as flat keys need it: JSON.parse tells neither lines nor duplicate keys. */
function parseJson(text: string): FormatEntry[] {
  let [at, line] = [0, 1];
  const wrong = (token: string, wanted: string) =>
    new Malformed(
      line,
      `is not valid JSON (${shorten(token) || 'the end'} where ${wanted} belongs); correct this line`,
    );
  /** The next token; '' at the end. */
  const take = (): string => {
    json.lastIndex = at;
    const [all, token] = json.exec(text) ?? [/\s*\S*/.exec(text.slice(at))![0]];
    line += /^\s*/.exec(all)![0].split('\n').length - 1;
    if (token === undefined) throw wrong(all.trim(), 'a JSON value');
    at += all.length;
    return token;
  };
  const scalar = (token: string): unknown => {
    if (token === '{' || token === '[') throw new Malformed(line, deep);
    if (/^[}\],:]?$/.test(token)) throw wrong(token, 'a value');
    return JSON.parse(token);
  };
  /** What stands between an opening bracket, already taken, and the closing one; `one` gets each first token. */
  const items = (close: string, one: (token: string) => void) => {
    let token = take();
    while (token !== close) {
      one(token);
      token = take();
      if (token === close) return;
      if (token !== ',') throw wrong(token, `, or ${close}`);
      token = take();
      if (token === close) throw wrong(token, 'a value');
    }
  };
  const entries: FormatEntry[] = [];
  if (take() !== '{') throw new Malformed(line, 'is no object; write {"key": value, …}');
  items('}', (token) => {
    if (!token.startsWith('"')) throw wrong(token, 'a key in double quotes');
    const key = { key: JSON.parse(token) as string, line };
    const colon = take();
    if (colon !== ':') throw wrong(colon, ':');
    const value = take();
    const values: unknown[] = [];
    if (value === '[') items(']', (item) => values.push(scalar(item)));
    entries.push({ ...key, value: value === '[' ? values : scalar(value) });
  });
  const rest = take();
  if (rest !== '') throw wrong(rest, 'the end');
  return entries;
}

async function parseToml(text: string): Promise<FormatEntry[]> {
  const { parse, TomlError } = await import('smol-toml');
  try {
    const parsed = Object.entries(parse(text, { maxDepth: 8 }));
    // The parser does not tell where a key stood. A flat key, or a table by mistake, starts a line.
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
    throw new Malformed(error.line, `is not valid TOML (${shorten(what)}); correct this line`);
  }
}
