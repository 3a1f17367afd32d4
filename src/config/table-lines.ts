// Where the tables of a TOML document begin, which its parser does not say. Messages name these lines of a rule file.
// The text is read once, character by character, so that the time is linear in its length, whatever it holds.

const LINE_FEED = 0x0a;
const DOUBLE_QUOTE = 0x22;
const HASH = 0x23;
const SINGLE_QUOTE = 0x27;
const BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSING_BRACKET = 0x5d;
const BRACE = 0x7b;
const CLOSING_BRACE = 0x7d;

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
    const c = text.charCodeAt(at);
    if (c === LINE_FEED) {
      line++;
      at++;
      takeLineStart();
    } else if (c === DOUBLE_QUOTE || c === SINGLE_QUOTE) {
      const end = endOfString(text, at, c);
      for (; at < end; at++) if (text.charCodeAt(at) === LINE_FEED) line++;
    } else if (c === HASH) {
      const end = text.indexOf('\n', at);
      at = end < 0 ? text.length : end;
    } else {
      if (c === BRACE && depth === 1 && list !== '') begin(list);
      if (c === BRACKET || c === BRACE) depth++;
      else if (c === CLOSING_BRACKET || c === CLOSING_BRACE) depth--;
      at++;
    }
  }
  return lines;
}

/** Where the string that begins at this quote ends: the place behind its closing quotes. */
function endOfString(text: string, begin: number, quote: number): number {
  const isTriple = text.charCodeAt(begin + 1) === quote && text.charCodeAt(begin + 2) === quote;
  for (let at = begin + (isTriple ? 3 : 1); at < text.length; at++) {
    const c = text.charCodeAt(at);
    if (c === BACKSLASH && quote === DOUBLE_QUOTE) at++;
    if (c !== quote) continue;
    if (!isTriple) return at + 1;
    if (text.charCodeAt(at + 1) !== quote || text.charCodeAt(at + 2) !== quote) continue;
    let end = at + 3;
    // Up to two quotes may stand before the closing three: '''it's ''''' ends in two quotes of its own.
    while (end < at + 5 && text.charCodeAt(end) === quote) end++;
    return end;
  }
  return text.length;
}
