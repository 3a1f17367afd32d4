// Decides when to collect with `interval: auto`. It learns when scrapes come, and has the exporter collect just before the
// next one. Without a reader it has it collect once a minute, which keeps the counters whole; where a scrape is expected within
// half a minute after that, one collection serves both.
//
// It does not tell clients apart: behind a proxy all of them have one address, and two Prometheus servers of one version
// are alike in everything. What it learns is rhythms: a period, and when the next scrape is expected. Three scrapes at equal
// distances make one, and each scrape that comes about when a rhythm expects it corrects that rhythm. Example: two servers
// scrape every 15 s, at 0, 15, 30 … and 7, 22, 37 …: at 30 the first rhythm is known, at 37 the second. A scrape that comes
// when none is expected belongs to no rhythm: it finds an old snapshot, and a collection begins because of it.
//
// Pure: it has no clock and no timer. Instants and times are in seconds.

/** What makes the exporter collect. */
export const COLLECTION_REASONS = ['scrape', 'expected', 'idle', 'request'] as const;
export type CollectionReason = (typeof COLLECTION_REASONS)[number];

/** Seconds between two collections while nobody reads. */
export const IDLE_INTERVAL = 60;

/** Scrapes expected this little later than an idle collection would begin are worth waiting for. */
const IDLE_DELAY_MAX = 30;
/** Limits of a period. What comes more often gets what `cache_ttl` allows, and so does what comes more seldom. */
const PERIOD = { min: 0.5, max: 600 };
/** Two distances are equal if they differ by no more than this part. */
const EQUAL = 0.1;
/** A scrape belongs to a rhythm if it comes within some of its usual deviations, but never so far off as this part of the period. */
const TOLERANCE = { deviations: 4, least: 0.5, part: 0.2 };
/** How much of what a scrape comes early or late moves the expected instant, the period and the usual deviation. */
const GAIN = { instant: 0.5, period: 0.1, deviation: 0.2 };
/** A rhythm is forgotten after so many scrapes that did not come; each that comes makes up for half a missed one. */
const MISSED_MAX = 3;
const RHYTHMS_MAX = 8;
const UNMATCHED_MAX = 32;
/** Oldest snapshot that an expected scrape gets. */
const AGE_MAX = 2;
/** Part of one core that collections before very frequent scrapes may take: they may get older snapshots, up to AGE_MAX. */
const SHARE_MAX = 0.05;
/** A collection begins earlier than its usual duration before the scrape: by this, and by some of the usual deviations. */
const MARGIN = { seconds: 0.1, deviations: 3 };
/** What the usual duration of a collection keeps of a longer one when a shorter one follows. */
const DURATION_KEPT = 0.75;

interface Rhythm {
  period: number;
  /** When the next scrape comes. */
  expected: number;
  /** By how much scrapes usually come early or late. */
  deviation: number;
  missed: number;
}

export class ScrapeRhythm {
  readonly #rhythms: Rhythm[] = [];
  /** When scrapes came that belong to no rhythm, oldest first. */
  readonly #unmatched: number[] = [];
  #scrapedAt = Number.NEGATIVE_INFINITY;
  /** When the last collection began, and what collections take. */
  #collectedAt = Number.NEGATIVE_INFINITY;
  #duration = 0;

  /** Somebody read the snapshot. A live page asks for several documents at once: they are one reading. */
  scraped(at: number): void {
    const again = at - this.#scrapedAt < PERIOD.min;
    this.#scrapedAt = at;
    if (again) return;
    this.#forget(at);
    const rhythm = this.#rhythmOf(at);
    if (!rhythm) {
      this.#learn(at);
      return;
    }
    const error = at - rhythm.expected;
    rhythm.period += GAIN.period * error;
    rhythm.expected += GAIN.instant * error + rhythm.period;
    rhythm.deviation += GAIN.deviation * (Math.abs(error) - rhythm.deviation);
    rhythm.missed = Math.max(0, rhythm.missed - 0.5);
  }

  /** A collection has ended, failed or not. */
  collected(beganAt: number, duration: number): void {
    this.#collectedAt = beganAt;
    this.#duration = Math.max(duration, DURATION_KEPT * this.#duration);
  }

  /**
   * When to collect next, and why. Ask again at that time: a rhythm may have ended since.
   * @param cacheTtl a scrape that finds an older snapshot has a collection of its own
   */
  next(now: number, cacheTtl: number): { readonly at: number; readonly reason: CollectionReason } {
    this.#forget(now);
    const idle = Math.max(now, this.#collectedAt + IDLE_INTERVAL);
    const expected = Math.min(...this.#rhythms.map((rhythm) => this.#collectionFor(rhythm, now, cacheTtl)));
    return expected <= idle + IDLE_DELAY_MAX ? { at: expected, reason: 'expected' } : { at: idle, reason: 'idle' };
  }

  /** When to collect for the next scrape of a rhythm for which the newest snapshot will be too old. */
  #collectionFor({ period, expected, deviation }: Rhythm, now: number, cacheTtl: number): number {
    const ageMax = Math.min(AGE_MAX, Math.max(period / 2, this.#duration / SHARE_MAX));
    const wanted = this.#duration + MARGIN.seconds + MARGIN.deviations * deviation;
    const lead = Math.min(wanted, 0.75 * ageMax, cacheTtl / 2);
    // The scrape would find even this snapshot too old.
    if (lead < MARGIN.seconds) return Number.POSITIVE_INFINITY;
    let scrape = expected;
    while (scrape <= now || this.#collectedAt >= scrape - ageMax) scrape += period;
    return Math.max(now, scrape - lead);
  }

  /** The rhythm that expects a scrape now. */
  #rhythmOf(at: number): Rhythm | undefined {
    let nearest: Rhythm | undefined;
    for (const rhythm of this.#rhythms) {
      const distance = Math.abs(at - rhythm.expected);
      if (distance <= toleranceOf(rhythm) && !(distance >= Math.abs(at - (nearest?.expected ?? Number.NaN))))
        nearest = rhythm;
    }
    return nearest;
  }

  /** Counts scrapes that did not come, and forgets rhythms that have ended. */
  #forget(now: number): void {
    const rhythms = this.#rhythms;
    for (let index = rhythms.length - 1; index >= 0; index--) {
      const rhythm = rhythms[index]!;
      for (; now > rhythm.expected + toleranceOf(rhythm) && rhythm.missed < MISSED_MAX; rhythm.missed++)
        rhythm.expected += rhythm.period;
      if (rhythm.missed >= MISSED_MAX) rhythms.splice(index, 1);
    }
  }

  /** Makes a rhythm of this scrape and two earlier ones, those with the shortest period. */
  #learn(at: number): void {
    const unmatched = this.#unmatched;
    for (let second = unmatched.length - 1; second >= 0; second--) {
      const distance = at - unmatched[second]!;
      if (distance > PERIOD.max) break;
      if (distance < PERIOD.min) continue;
      const sought = unmatched[second]! - distance;
      const first = unmatched.findIndex((each) => Math.abs(each - sought) <= EQUAL * distance);
      if (first < 0 || first >= second || this.#rhythms.length === RHYTHMS_MAX) continue;
      const period = (at - unmatched[first]!) / 2;
      const deviation = Math.abs(unmatched[first]! - sought) / 2;
      this.#rhythms.push({ period, expected: at + period, deviation, missed: 0 });
      unmatched.splice(second, 1);
      unmatched.splice(first, 1);
      return;
    }
    unmatched.push(at);
    if (unmatched.length > UNMATCHED_MAX) unmatched.shift();
  }
}

function toleranceOf({ period, deviation }: Rhythm): number {
  return Math.min(TOLERANCE.part * period, Math.max(TOLERANCE.least, TOLERANCE.deviations * deviation));
}
