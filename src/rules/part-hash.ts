/**
 * A cheap hash of a part of a text: first and last character, and length. Unlike a look-up in a map or set of names it needs
 * no string of that part, so it tells most parts apart that are no such name.
 */
export const partHash = (text: string, start: number, end: number): number =>
  text.charCodeAt(start) ^ (text.charCodeAt(end - 1) << 7) ^ ((end - start) << 14);

/** The hashes of whole names. */
export const hashesOf = (names: Iterable<string>): ReadonlySet<number> =>
  new Set(Array.from(names, (name) => partHash(name, 0, name.length)));
