// Runs of three letters. A text holds another one only if it holds all of its runs, so a set of the runs of a text tells
// at once what it cannot hold. Each run has one place in the set, by a hash: "no" is sure, and "yes" means that somebody must look.

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
  /** For each place, the number of the last command line that has a run there: so nothing is cleared for the next one. */
  private readonly lines = new Uint32Array(1 << BITS);
  /** The number of the command line whose runs these are, from 1; none has them at first. */
  private line = 1;

  /** The place of the run at a place in a text. */
  static placeOf(text: string, at: number): number {
    return hashOfRun(text, at) >>> SHIFT;
  }

  /** Whether it has the runs of the command line to which note() gave this number. */
  isOf(number: number): boolean {
    return number === this.line;
  }

  /** Forgets what it had, and takes the runs of words with a space between them. @returns a number for isOf, from 1 */
  note(words: readonly string[]): number {
    if (++this.line > 0xffff_ffff) {
      this.lines.fill(0);
      this.line = 1;
    }
    const { lines, line } = this;
    let a = SPACE;
    let b = SPACE;
    for (let i = 0; i < words.length; i++) {
      const word = words[i]!;
      for (let at = 0; at < word.length; at++) {
        const c = word.charCodeAt(at);
        lines[hashOf(a, b, c) >>> SHIFT] = line;
        a = b;
        b = c;
      }
      lines[hashOf(a, b, SPACE) >>> SHIFT] = line;
      a = b;
      b = SPACE;
    }
    return line;
  }

  /** Whether it may have one of the runs. @param runs their places */
  holdsAny(runs: readonly number[]): boolean {
    const { lines, line } = this;
    for (let i = 0; i < runs.length; i++) if (lines[runs[i]!] === line) return true;
    return false;
  }
}
