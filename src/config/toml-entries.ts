// The text of a TOML configuration → its flat keys with values and lines.
import { malformedToml } from './malformed-file.ts';

/** One key as written; a key written twice gives two. A value is a scalar, a list of scalars, or {} for all the rest. */
export interface ConfigFileEntry {
  readonly key: string;
  readonly value: unknown;
  /** Counted from 1. */
  readonly line: number;
}

/** Dates, tables and everything else that no setting takes become {}, so that nobody has to look inside a value. */
export const flat = (value: unknown): unknown => (typeof value === 'object' && value !== null ? {} : value);

/** @throws MalformedFileError */
export async function parseTomlEntries(text: string): Promise<ConfigFileEntry[]> {
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
    throw malformedToml(error);
  }
}
