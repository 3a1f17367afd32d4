// What an operator may choose about the reading of footprints.

export interface FootprintOptions {
  /** `exact` reads all at every collection, `bounded` within the budget, `off` none. */
  readonly mode: 'bounded' | 'exact' | 'off';
  /** Share of one core that `bounded` may spend. */
  readonly budget: number;
  /** A measurement that was neither made nor confirmed by others (idle-samples.ts) for so long is made again, seconds. */
  readonly maxAge: number;
  /** A read that is predicted to take longer than this happens only once every `maxAge`, seconds. */
  readonly maxRead: number;
  /** Longest time between two collections, seconds: what the budget gains meanwhile, one collection may spend. */
  readonly interval: number;
  /**
   * For a program that looks beside the exporter and is started again and again: with `bounded` it never reads what is
   * predicted over `maxRead`, also not the first time, because every start would be a first time.
   */
  readonly guest: boolean;
}
