// A hash of letters that needs no string of them (FNV-1a, 32 bits): names of rules are looked up by parts of names and paths.

/** The hash of no letters. */
export const NO_LETTERS = 0x811c9dc5 | 0;

/**
 * Continues a hash with a part of a text. It takes every letter, because the names of a fleet differ in few of them. The hash of
 * a short start is a step to that of a longer one, so that one walk gives both.
 */
export function hashOn(hash: number, text: string, start: number, end: number): number {
  let on = hash;
  for (let i = start; i < end; i++) on = hashOnLetter(on, text.charCodeAt(i));
  return on;
}

/** Continues a hash with one letter. */
export const hashOnLetter = (hash: number, letter: number): number => Math.imul(hash ^ letter, 0x01000193);

/**
 * The place of a hash in a table of 2^bits places. The multiplication carries every bit of the hash into the upper bits, and the upper
 * bits are the place.
 */
export const slotOf = (hash: number, bits: number): number => Math.imul(hash, 0x9e3779b1) >>> (32 - bits);
