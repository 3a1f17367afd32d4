// Limits what the automata of all patterns keep together. Each keeps little (lazy-dfa.ts), but rules may have ten
// thousand, and a user who starts processes chooses the texts. When the limit is reached, all but the one at work forget
// what they keep, and learn it again from the next texts.

/** An automaton that keeps something. */
interface Keeper {
  forget(): void;
}

/** Numbers of 8 bytes, as V8 stores them in arrays: 16 MiB. The catalogue needs a twentieth on a usual host. */
const KEPT_MAX = 1 << 21;

const keepers = new Set<Keeper>();
let kept = 0;

/** Notes how many more numbers an automaton keeps. */
export function keep(keeper: Keeper, numbers: number): void {
  keepers.add(keeper);
  kept += numbers;
  if (kept <= KEPT_MAX) return;
  keepers.delete(keeper);
  for (const other of keepers) other.forget();
  keepers.clear();
  keepers.add(keeper);
  kept = numbers;
}
