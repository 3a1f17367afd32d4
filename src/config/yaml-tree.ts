// A YAML document as a tree of plain objects: with lines, and without what the parser's own nodes can do. Plain, because a
// long document is parsed on a thread (parser-thread.ts), and only plain objects can leave it. Pure.
//   "a: [1]" → { kind: 'map', line: 1, items: [{ key: { kind: 'scalar', value: 'a', … }, value: { kind: 'seq', … } }] }
import type { CST } from 'yaml';
import { MalformedFileError, shortened } from './malformed-file.ts';

export interface YamlMap {
  readonly kind: 'map';
  readonly line: number;
  readonly items: readonly { readonly key: YamlNode | null; readonly value: YamlNode | null }[];
}

export interface YamlSeq {
  readonly kind: 'seq';
  readonly line: number;
  readonly items: readonly (YamlNode | null)[];
}

export interface YamlScalar {
  readonly kind: 'scalar';
  /** Where it begins, from 1. */
  readonly line: number;
  readonly value: unknown;
  /** As it is written, without quotes. */
  readonly source: string | undefined;
}

/** A node; `other` is a pair of an ordered map, which no file of ours has. */
export type YamlNode = YamlMap | YamlSeq | YamlScalar | { readonly kind: 'alias' | 'other'; readonly line: number };

type MaybeNode = YamlNode | null | undefined;
export const isMap = (node: MaybeNode): node is YamlMap => node?.kind === 'map';
export const isSeq = (node: MaybeNode): node is YamlSeq => node?.kind === 'seq';
export const isScalar = (node: MaybeNode): node is YamlScalar => node?.kind === 'scalar';
export const isAlias = (node: MaybeNode): boolean => node?.kind === 'alias';

const DEEP = 'is nested too deep; write keys with plain values';

/** YAML 1.1 is what Go's yaml.v2 takes, and exporter-toolkit with it. JSON is YAML 1.2 with fewer scalars. */
export type YamlDialect = 'YAML 1.1' | 'YAML 1.2' | 'JSON';

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

/**
 * The root of a document; null where it is empty.
 * @param levels collections inside collections that are let through
 * @param valuesMax nodes that are let through
 * @throws MalformedFileError
 */
export async function composeYaml(
  text: string,
  levels: number,
  dialect: YamlDialect,
  valuesMax = Number.POSITIVE_INFINITY,
): Promise<YamlNode | null> {
  const yaml = await import('yaml');
  const { Composer, LineCounter, Parser } = yaml;
  const lines = new LineCounter();
  const line = (offset: number) => lines.linePos(offset).line;
  const tokens = [...new Parser(lines.addNewLine).parse(text)];
  // Composing is recursive: input that is deep enough would end the process inside V8, where no catch helps.
  for (const token of tokens) {
    const [at, nested] = token.type === 'document' ? [token.offset, nests(token.value, levels)] : [0, false];
    if (nested) throw new MalformedFileError(line(at), DEEP);
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
      `is not valid ${language} (${shortened(reason)}); correct this line`,
    );
  }
  if (second) throw new MalformedFileError(line(second.range[0]), 'starts a second YAML document; keep one');
  let values = 0;
  const plain = (node: unknown): YamlNode | null => {
    if (!yaml.isNode(node)) return node === null || node === undefined ? null : { kind: 'other', line: 1 };
    const at = line(node.range?.[0] ?? 0);
    if (++values > valuesMax)
      throw new MalformedFileError(at, `is the first of more than ${valuesMax} values; remove some`);
    if (yaml.isMap(node))
      return {
        kind: 'map',
        line: at,
        items: node.items.map(({ key, value }) => ({ key: plain(key), value: plain(value) })),
      };
    if (yaml.isSeq(node)) return { kind: 'seq', line: at, items: node.items.map(plain) };
    if (!yaml.isScalar(node)) return { kind: 'alias', line: at };
    const { value, source } = node;
    return { kind: 'scalar', line: at, value: typeof value === 'symbol' ? source : value, source };
  };
  return plain(document!.contents);
}

/** Whether a token of the syntax tree has collections more than `levels` deep; it looks no deeper. */
function nests(token: CST.Token | null | undefined, levels: number): boolean {
  if (!token || !('items' in token)) return false;
  return levels === 0 || token.items.some((item) => nests(item.key, levels - 1) || nests(item.value, levels - 1));
}
