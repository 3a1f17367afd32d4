// Did you mean …? The one comparison behind every such question: unknown keys, variables, flags and verbs.

/** The candidate that differs from what was written in the fewest letters; undefined when none is near enough. */
export function nearestName(written: string, candidates: readonly string[]): string | undefined {
  const plain = (text: string) => text.toLowerCase().replaceAll('-', '_');
  let best: string | undefined;
  let least = Math.max(1, Math.floor(written.length / 3)) + 1;
  if (written.length > 64) return undefined;
  for (const candidate of candidates) {
    const distance = edits(plain(written), plain(candidate));
    if (distance < least) [best, least] = [candidate, distance];
  }
  return best;
}

/** Letters inserted, left out, replaced or swapped with their neighbour between two texts (optimal string alignment). */
function edits(a: string, b: string): number {
  let [before, last]: [number[], number[]] = [[], Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      row[j] = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + same);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) row[j] = Math.min(row[j]!, before[j - 2]! + 1);
    }
    [before, last] = [last, row];
  }
  return last[b.length]!;
}
