// What the reader remembers of the files that each collection reads: two hashes of what each said, so that an answer need
// not be sent, or a file not be read, where it would say the same again. 64 bits of hash, not the text: that takes a tenth
// of the memory, and two different texts of one file have the same hashes once in 10^19 comparisons.
import { withRoom } from './with-room.ts';

/** Two hashes, by process (its handle) and by file (its place). */
export class AnswerHashes {
  readonly #bytes: Uint8Array;
  readonly #words: Int32Array;
  readonly #places: number;
  #hashes: Int32Array<ArrayBuffer>;
  /** The hashes that were computed last. */
  #one = 0;
  #other = 0;

  /**
   * @param buffer holds what the files say
   * @param places how many files of a process are remembered
   */
  constructor(buffer: ArrayBuffer, places: number) {
    this.#bytes = new Uint8Array(buffer);
    this.#words = new Int32Array(buffer);
    this.#places = places;
    this.#hashes = new Int32Array(512 * 2 * places);
  }

  /** Forgets a process, or makes room for one. */
  reset(handle: number): void {
    const end = (handle + 1) * 2 * this.#places;
    this.#hashes = withRoom(this.#hashes, end);
    this.#hashes.fill(0, end - 2 * this.#places, end);
  }

  /** Whether anything is remembered of the file. */
  has(handle: number, place: number): boolean {
    const at = 2 * (handle * this.#places + place);
    return this.#hashes[at] !== 0 || this.#hashes[at + 1] !== 0;
  }

  /**
   * Whether the file says what is remembered. Zeros up to a multiple of four bytes are written behind it.
   * @param from where its text begins in the buffer, a multiple of four
   */
  isSame(handle: number, place: number, from: number, length: number): boolean {
    for (let end = from + length; (end & 3) !== 0; end++) this.#bytes[end] = 0;
    let one = length;
    let other = ~length;
    for (let word = from >> 2, end = (from + length + 3) >> 2; word < end; word++) {
      one = Math.imul(one ^ this.#words[word]!, 0x01000193);
      other = Math.imul(other, 31) + this.#words[word]!;
      one ^= one >>> 15;
      other ^= other >>> 13;
    }
    this.#one = one | 0;
    this.#other = other | 0;
    const at = 2 * (handle * this.#places + place);
    return this.#hashes[at] === this.#one && this.#hashes[at + 1] === this.#other;
  }

  /** Remembers what was compared last. */
  remember(handle: number, place: number): void {
    const at = 2 * (handle * this.#places + place);
    this.#hashes[at] = this.#one;
    this.#hashes[at + 1] = this.#other;
  }
}
