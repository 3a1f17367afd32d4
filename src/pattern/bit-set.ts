// A set of small whole numbers: a bit for each number that may be in it.

export class BitSet {
  private readonly words: Uint32Array;

  /** @param bits of the largest number that may be in it, at least 5 */
  constructor(bits: number) {
    this.words = new Uint32Array(1 << (bits - 5));
  }

  add(number: number): void {
    this.words[number >> 5]! |= 1 << (number & 31);
  }

  has(number: number): boolean {
    return (this.words[number >> 5]! & (1 << (number & 31))) !== 0;
  }

  clear(): void {
    this.words.fill(0);
  }
}
