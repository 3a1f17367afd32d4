// Did you mean …? The one comparison behind every such question: unknown flags, verbs, settings, variables, keys of
// rules, and keys and headers of the web configuration file.

/** Longer words are nobody's misspelling, and comparing them costs the product of both lengths. */
const LENGTH_MAX = 64;

/**
 * The candidate that was probably meant: the one with the fewest edits between it and the written word. It may need at
 * most as many edits as a third of the word's letters, but always one. Undefined where none is that near. Upper and lower
 * case count as equal, and so do "-" and "_": "cache-tll" gives "cache_ttl", "uint" gives "unit", "--prot" gives
 * "--port".
 */
export function nearestName(written: string, candidates: Iterable<string>): string | undefined {
  if (written.length > LENGTH_MAX) return undefined;
  const plain = (text: string) => text.toLowerCase().replaceAll('-', '_');
  let best: string | undefined;
  let limit = Math.max(1, Math.floor(written.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(plain(written), plain(candidate));
    if (distance < limit) [best, limit] = [candidate, distance];
  }
  return best;
}

/**
 * Optimal string alignment distance: letters inserted, left out, replaced, or swapped with their neighbour. The table
 * of distances between all beginnings of both texts is filled row by row; only the last two rows are kept.
 */
function editDistance(a: string, b: string): number {
  let [secondLast, last]: [number[], number[]] = [[], Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = a[i - 1] === b[j - 1] ? 0 : 1;
      row[j] = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + replaced);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) row[j] = Math.min(row[j]!, secondLast[j - 2]! + 1);
    }
    [secondLast, last] = [last, row];
  }
  return last[b.length]!;
}
