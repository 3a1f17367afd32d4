// The lines at which the tables of a TOML document begin, for messages about a rule file: the TOML parser does not give them.
// A file of its own, because this is a small tokenizer that only rule files need; formats.ts reads flat keys.

/**
 * Tokens that matter: headers of tables, beginnings of lists, brackets; and strings and comments, since a bracket in one of
 * them is only text.
 */
const TOKEN =
  /^[ \t]*\[\[[ \t]*(["']?)(?<header>\w+)\1[ \t]*\]\]|^[ \t]*(["']?)(?<list>\w+)\3[ \t]*=[ \t]*\[|"""(?:\\[\s\S]|[^\\])*?"{3,5}|'''[\s\S]*?'{3,5}|"(?:\\.|[^"\\\n])*"|'[^'\n]*'|#.*|\n|(?<open>[[{])|(?<close>[\]}])/gm;

/**
 * Lines, from 1, at which the tables of each list of tables begin: of `[[rule]]` headers, and of the braces
 * in `rule = [ { … }, { … } ]`.
 * @param text TOML that a parser has accepted
 */
export function tableLines(text: string): Record<string, number[]> {
  const lines: Record<string, number[]> = {};
  const begins = (key: string) => {
    lines[key] = [...(lines[key] ?? []), line];
  };
  let [line, depth, inside] = [1, 0, ''];
  for (const { 0: token, groups } of text.matchAll(TOKEN)) {
    const { header, list, open, close } = groups!;
    if (depth === 0 && header !== undefined) begins(header);
    if (depth === 0 && list !== undefined) inside = list;
    if (depth === 1 && open === '{' && inside !== '') begins(inside);
    if (open !== undefined || list !== undefined) depth++;
    if (close !== undefined && --depth === 0) inside = '';
    line += token.split('\n').length - 1;
  }
  return lines;
}
