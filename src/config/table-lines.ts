// Where the tables of a TOML document begin, which its parser does not say. Messages name these lines of a rule file.
// The text is read once, character by character, so that the time is linear in its length, whatever it holds.

/** A header of a list of tables at the start of a line: `[[rule]]`, `[[ "rule" ]]`. */
const HEADER = /[ \t]*\[\[[ \t]*(?:"(\w+)"|'(\w+)'|(\w+))[ \t]*\]\]/y;
/** A key at the start of a line whose value is a list: `rule = [`. */
const LIST = /[ \t]*(?:"(\w+)"|'(\w+)'|(\w+))[ \t]*=[ \t]*\[/y;
/** Another key at the start of a line: `group = `, `[table]`, `table.key = `. */
const OTHER = /[ \t]*(?:\[[ \t]*)?(?:"(\w+)"|'(\w+)'|(\w+))[ \t]*[\].=]/y;

/**
 * Lines, from 1, at which the tables of each list of tables begin: of `[[rule]]` headers, and of the braces
 * in `rule = [ { … }, { … } ]`. Of the document's other keys the line at which each begins.
 * @param text TOML that a parser has accepted
 */
export function tableLines(text: string): Map<string, number[]> {
  const lines = new Map<string, number[]>();
  /** Brackets and braces that are open; the key of the list that the outermost one began, '' for no list. */
  let [line, depth, list] = [1, 0, ''];
  const begin = (key: string): void => {
    const known = lines.get(key);
    if (known) known.push(line);
    else lines.set(key, [line]);
  };
  let at = 0;
  const keyAt = (expression: RegExp): string | undefined => {
    expression.lastIndex = at;
    const match = expression.exec(text);
    return match ? (match[1] ?? match[2] ?? match[3]) : undefined;
  };
  /** Whether a header was met: keys behind it belong to its table, not to the document. */
  let inTable = false;
  /** What can only stand at the start of a line outside all brackets. */
  const takeLineStart = (): void => {
    if (depth > 0) return;
    const header = keyAt(HEADER);
    if (header !== undefined) {
      begin(header);
      at = HEADER.lastIndex;
      inTable = true;
      return;
    }
    list = keyAt(LIST) ?? '';
    if (list !== '') {
      at = LIST.lastIndex;
      depth = 1;
      return;
    }
    const other = keyAt(OTHER);
    const isHeader = other !== undefined && text.slice(at, OTHER.lastIndex).includes('[');
    if (other !== undefined && (isHeader || !inTable) && !lines.has(other)) begin(other);
    inTable ||= isHeader;
  };
  takeLineStart();
  while (at < text.length) {
    const c = text[at]!;
    if (c === '\n') {
      line++;
      at++;
      takeLineStart();
    } else if (c === '"' || c === "'") {
      const end = endOfString(text, at, c);
      for (; at < end; at++) if (text[at] === '\n') line++;
    } else if (c === '#') {
      const end = text.indexOf('\n', at);
      at = end < 0 ? text.length : end;
    } else {
      if (c === '{' && depth === 1 && list !== '') begin(list);
      if (c === '[' || c === '{') depth++;
      else if (c === ']' || c === '}') depth--;
      at++;
    }
  }
  return lines;
}

/** Where the string that begins at this quote ends: the place behind its closing quotes. */
function endOfString(text: string, begin: number, quote: '"' | "'"): number {
  const triple = quote.repeat(3);
  const closing = text.startsWith(triple, begin) ? triple : quote;
  for (let at = begin + closing.length; at < text.length; at++) {
    if (text[at] === '\\' && quote === '"') at++;
    else if (text.startsWith(closing, at)) {
      let end = at + closing.length;
      // Up to two quotes may stand before the closing three: '''it's ''''' ends in a quote of its own.
      if (closing === triple) while (end < at + 5 && text[end] === quote) end++;
      return end;
    }
  }
  return text.length;
}
