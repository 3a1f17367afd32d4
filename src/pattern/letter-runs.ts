// Runs of three letters. A text holds another one only if it holds all of its runs, so a set of the runs of a text tells
// at once what it cannot hold. Each run has one bit, by a hash: "no" is sure, and "yes" means that somebody must look.

/** Letters of a run. */
export const RUN = 3;

/** A hash of three letters. Its upper bits are the good ones. */
const hashOf = (a: number, b: number, c: number): number => Math.imul(a | (b << 8) | (c << 16), 0x9e3779b1);

/** The hash of the run at a place in a text. */
export const hashOfRun = (text: string, at: number): number =>
  hashOf(text.charCodeAt(at), text.charCodeAt(at + 1), text.charCodeAt(at + 2));

const BITS = 11;
const SHIFT = 32 - BITS;
const SPACE = 0x20;

/** The runs of a command line of some hundred letters. */
export class RunSet {
  /** Letters of a command line that is short enough: of a longer one, a set of this size would hold too many runs. */
  static readonly LETTERS_MAX = 1 << (BITS - 2);
  private readonly bits = new Uint32Array(1 << (BITS - 5));

  /** The bit of the run at a place in a text. */
  static bitOf(text: string, at: number): number {
    return hashOfRun(text, at) >>> SHIFT;
  }

  /** Forgets what it had, and takes the runs of words with a space between them. */
  note(words: readonly string[]): void {
    const { bits } = this;
    bits.fill(0);
    let [a, b] = [SPACE, SPACE];
    for (let i = 0; i < words.length; i++) {
      const word = words[i]!;
      // The letter behind the word is the space.
      for (let at = 0; at <= word.length; at++) {
        const c = at < word.length ? word.charCodeAt(at) : SPACE;
        const bit = hashOf(a, b, c) >>> SHIFT;
        bits[bit >> 5]! |= 1 << (bit & 31);
        a = b;
        b = c;
      }
    }
  }

  holdsAny(runs: readonly number[]): boolean {
    const { bits } = this;
    for (let i = 0; i < runs.length; i++) {
      const bit = runs[i]!;
      if ((bits[bit >> 5]! & (1 << (bit & 31))) !== 0) return true;
    }
    return false;
  }
}
