// Which colour stands for what. The largest things have a colour each, in treemap, bar and chart alike; all others share
// grey. A thing keeps its colour while it is among the largest, so that a page that is open does not change colours.

export const COLOURS = 10;
export const REST_COLOUR = 'x';

export class Palette {
  #colours = new Map<string, number>();

  /** @param largest keys, largest first; only the first COLOURS matter */
  assign(largest: readonly string[]): void {
    const keys = largest.slice(0, COLOURS);
    const kept = new Map([...this.#colours].filter(([key]) => keys.includes(key)));
    const used = new Set(kept.values());
    let next = 0;
    for (const key of keys) {
      if (kept.has(key)) continue;
      while (used.has(next)) next++;
      used.add(next);
      kept.set(key, next);
    }
    this.#colours = kept;
  }

  has(key: string): boolean {
    return this.#colours.has(key);
  }

  /** Class of an element that shows the thing; page.css has a fill and a line for each. */
  classOf(key: string): string {
    return `c${this.#colours.get(key) ?? REST_COLOUR}`;
  }
}
