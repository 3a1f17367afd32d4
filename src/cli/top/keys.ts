// The keys of a terminal in raw mode: bytes become names of keys. Special keys are escape sequences (ECMA-48; console_codes(4)):
// "\x1b[A" and "\x1bOA" are both the arrow up. A sequence that means nothing here is dropped as a whole, so that none of
// its characters counts as a key that was pressed.

export type SpecialKey =
  | ('up' | 'down' | 'left' | 'right' | 'home' | 'end' | 'pageup' | 'pagedown')
  | ('enter' | 'escape' | 'backspace' | 'tab' | 'interrupt' | 'refresh');

/** A special key by its name, or a character. */
export type PressedKey = { readonly special: SpecialKey } | { readonly character: string };

const SEQUENCES: Readonly<Record<string, SpecialKey>> = {
  ...{ A: 'up', B: 'down', C: 'right', D: 'left', H: 'home', F: 'end', Z: 'tab' },
  ...{ '1~': 'home', '7~': 'home', '4~': 'end', '8~': 'end', '5~': 'pageup', '6~': 'pagedown', '3~': 'backspace' },
};

const CONTROLS: Readonly<Record<string, SpecialKey>> = {
  ...{ '\r': 'enter', '\n': 'enter', '\t': 'tab', '\x7f': 'backspace', '\b': 'backspace' },
  ...{ '\x03': 'interrupt', '\x04': 'interrupt', '\x0c': 'refresh', '\x1b': 'escape' },
};

/** An escape sequence, a lone escape, or one character. */
const PIECE = /\x1b(?:\[[0-?]*[ -/]*[@-~]|O[@-~]|\[[0-?]*$)|[\s\S]/gu;

export function parseKeys(text: string): PressedKey[] {
  return [...text.matchAll(PIECE)].flatMap(([piece]): PressedKey[] => {
    if (piece.length > 1 && piece.startsWith('\x1b')) {
      const special = SEQUENCES[piece.slice(2)];
      return special ? [{ special }] : [];
    }
    const special = CONTROLS[piece];
    if (special) return [{ special }];
    return piece < ' ' ? [] : [{ character: piece }];
  });
}
