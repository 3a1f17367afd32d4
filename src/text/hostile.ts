// Makes hostile characters of foreign text visible. Anybody who starts a process chooses its name and command line, and
// such text reaches terminals, logs and pages. Three kinds of characters are hostile there: control characters (a line
// feed forges a log line, an escape sequence moves the cursor), characters that nobody sees (two names look equal), and
// marks that change the direction of writing (a name is displayed backwards). Everything else stays as it is. Which
// characters are of these kinds, Unicode says: the list grows with Node.js.
//
// Each kind of output has its own form, and the form says which character it was:
//   escapeForTerminal('a\u001b[2J\u202eb')  →  a\x1b[2J\u202eb
//   escapedJson('a\u202eb')                 →  "a\u202eb", with the escape sequence spelled out

/**
 * Control characters (Cc); format characters, among them all marks of direction (Cf); separators of lines (Zl) and
 * paragraphs (Zp); and what is displayed as nothing, such as U+3164, a letter that fills space (UAX #44, 5.1).
 */
const HOSTILE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

/** Replaces every hostile character of a text by what `replacement` gives for it. */
export const replaceHostile = (text: string, replacement: (character: string) => string): string =>
  text.replace(HOSTILE, replacement);

/** Text for a terminal: \n for a line feed, \x1b for other characters up to U+00FF, \u202e for those above. */
export const escapeForTerminal = (text: string): string =>
  replaceHostile(text, (character) => {
    if (character === '\n') return '\\n';
    const code = character.charCodeAt(0);
    return code > 0xff ? unicodeEscape(character) : `\\x${code.toString(16).padStart(2, '0')}`;
  });

/**
 * A value as JSON that holds no hostile character and no lone surrogate; the result means the same to a JSON parser.
 * Without `indent` it is one line.
 * @param indent spaces of each level; then the text has lines, and ends with a line feed
 */
export function escapedJson(value: unknown, indent?: number): string {
  // JSON itself spells control characters up to U+001F, so that the only ones left are the line feeds of the layout.
  if (indent === undefined) return replaceHostile(JSON.stringify(value), unicodeEscape);
  const lines = JSON.stringify(value, undefined, indent).split('\n');
  return `${lines.map((line) => replaceHostile(line, unicodeEscape)).join('\n')}\n`;
}

/** "\u202e", as JSON spells it: a character above U+FFFF as its two surrogates. */
const unicodeEscape = (character: string): string =>
  character
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('');
