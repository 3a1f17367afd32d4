// The literal texts of a rule, which stand in the rule for everybody to read, and so may be shown in a hidden word.
import type { Rule } from '../../rules/rule.ts';
import { HIDDEN } from './names.ts';

/** Shorter texts stand in many secrets by chance. */
const LITERAL_MIN = 2;

/** What in a glob or a regular expression stands for other text: classes, quantifiers, groups, signs. */
const WILD = /\\[A-Za-z]|\[[^\]]*\]|\{\d+,?\d*\}|\(\?[^():]*[:)]?|[()|*+?^$\s]|(?<!\\)\./g;

/** Of `(?i)-Djira\.home=|/jira/`: `-Djira.home=` and `/jira/`. */
export function literalsOf(rule: Rule): string[] {
  const texts = rule.keys.list.flatMap(([, matchers]) => matchers.map(({ text }) => text));
  const parts = texts.flatMap((text) => [text, text.replace(WILD, '\0')]).flatMap((text) => text.split(/[\0\s]/));
  const literals = parts.map((text) => text.replace(/\\(.)/gs, '$1')).filter(({ length }) => length >= LITERAL_MIN);
  return [...new Set(literals)].sort((a, b) => b.length - a.length);
}

/** The word as shown, with each literal that stands in its hidden parts. */
export function showLiterals(word: string, shown: string, literals: readonly string[]): string {
  if (!shown.includes(HIDDEN)) return shown;
  const pieces = shown.split(HIDDEN);
  let out = pieces[0]!;
  let at = out.length;
  if (!word.startsWith(out)) return partsShown(word, literals);
  for (const [i, piece] of pieces.entries()) {
    if (i === 0) continue;
    const from = i === pieces.length - 1 ? word.length - piece.length : word.indexOf(piece, at);
    if (from < at) return partsShown(word, literals);
    out += partsShown(word.slice(at, from), literals) + piece;
    at = from + piece.length;
  }
  return out;
}

/** A hidden text with its literals: `***rabbitmq***`. */
function partsShown(text: string, literals: readonly string[]): string {
  const lower = text.toLowerCase();
  let out = '';
  let at = 0;
  while (at < text.length) {
    const found = literals.find((literal) => lower.startsWith(literal.toLowerCase(), at));
    if (found === undefined) {
      if (!out.endsWith(HIDDEN)) out += HIDDEN;
      at++;
    } else {
      out += text.slice(at, at + found.length);
      at += found.length;
    }
  }
  return out;
}
