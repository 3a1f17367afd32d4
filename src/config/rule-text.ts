// The text of a rule file → its document, and the lines of its tables. Somebody other than the operator may write such a
// file, so what comes out of it is limited: to copy a document from the thread that parsed it (parser-thread.ts) holds the
// program for a time that grows with the number of its tables and lists. Pure.
import { MalformedFileError, malformedToml } from './malformed-file.ts';
import { tableLines } from './table-lines.ts';

export interface RuleText {
  /** What the TOML parser returned. */
  readonly document: Readonly<Record<string, unknown>>;
  /** Lines, from 1, at which the tables of each list of tables begin; see tableLines(). */
  readonly lines: ReadonlyMap<string, readonly number[]>;
}

/** Tables and lists of a file: 10,000 rules of five. To copy them takes some 30 ms. */
const COLLECTIONS_MAX = 50_000;
/** Keys of one table. A rule has at most a dozen. */
const KEYS_MAX = 1000;
/** Tables and lists inside each other: a document, its rules, a rule, its examples, an example, its argv. */
const LEVELS_MAX = 8;

/** @throws MalformedFileError */
export async function parseRuleText(text: string): Promise<RuleText> {
  const { parse, TomlError } = await import('smol-toml');
  try {
    const document = parse(text);
    const lines = tableLines(text);
    refuseExcess(document, lines);
    return { document, lines };
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    throw malformedToml(error);
  }
}

function refuseExcess(document: RuleText['document'], lines: RuleText['lines']): void {
  let collections = 0;
  // A list and no recursion: a key such as a.a.a.a may be as deep as a file is long.
  const open: [value: unknown, line: number, level: number][] = [[document, 1, 0]];
  for (let entry = open.pop(); entry; entry = open.pop()) {
    const [value, line, level] = entry;
    if (typeof value !== 'object' || value === null || value instanceof Date) continue;
    const keys = Array.isArray(value) ? [] : Object.keys(value);
    if (++collections > COLLECTIONS_MAX)
      throw new MalformedFileError(1, `has more than ${COLLECTIONS_MAX} tables and lists; remove some`);
    if (level > LEVELS_MAX) throw new MalformedFileError(line, 'is nested too deep; write rules as [[rule]] tables');
    if (keys.length > KEYS_MAX)
      throw new MalformedFileError(
        line,
        `has a table of ${keys.length} keys, more than ${KEYS_MAX}; write rules as [[rule]] tables`,
      );
    if (level === 0) for (const key of keys) open.push([document[key], lines.get(key)?.[0] ?? 1, 1]);
    else for (const inner of Object.values(value)) open.push([inner, line, level + 1]);
  }
}
