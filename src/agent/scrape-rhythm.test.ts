import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CollectionReason, ScrapeRhythm } from './scrape-rhythm.ts';

interface Result {
  readonly collections: Record<CollectionReason, number>;
  readonly total: number;
  readonly scrapes: number;
  /** Age of the snapshot that each scrape got, by scraper, in order. */
  readonly ages: readonly (readonly number[])[];
  readonly longestGap: number;
}

interface Conditions {
  /** What a collection takes, seconds. */
  readonly duration?: number;
  readonly cacheTtl?: number;
  readonly until?: number;
}

/** Runs an exporter on a simulated clock. @param scrapers when each of them scrapes, seconds */
function simulate(
  scrapers: readonly (readonly number[])[],
  { duration = 0.06, cacheTtl = 5, until = 1800 }: Conditions = {},
): Result {
  const rhythm = new ScrapeRhythm();
  const scrapes = scrapers
    .flatMap((instants, scraper) => instants.map((at) => ({ at, scraper })))
    .filter(({ at }) => at < until)
    .sort((a, b) => a.at - b.at);
  const collections = { scrape: 0, expected: 0, idle: 0, request: 0 };
  const ages: number[][] = scrapers.map(() => []);
  let [collectedAt, longestGap, next] = [0, 0, 0];
  const collect = (at: number, reason: CollectionReason) => {
    collections[reason]++;
    longestGap = Math.max(longestGap, at - collectedAt);
    collectedAt = at;
    rhythm.collected(at, duration);
  };
  collect(0, 'idle');
  for (let now = 0; now < until; ) {
    const plan = rhythm.next(now, cacheTtl);
    const scrape = scrapes[next];
    if (!scrape || plan.at <= scrape.at) {
      now = plan.at;
      assert.ok(plan.at >= collectedAt, 'never in the past');
      const still = rhythm.next(now, cacheTtl); // a rhythm may have ended since
      if (now < until && still.at <= now) collect(now, still.reason);
      continue;
    }
    next++;
    now = scrape.at;
    rhythm.scraped(now);
    if (!(now - collectedAt <= cacheTtl)) collect(now, 'scrape');
    ages[scrape.scraper]!.push(now - collectedAt);
  }
  const total = Object.values(collections).reduce((sum, count) => sum + count, 0);
  return { collections, total, scrapes: scrapes.length, ages, longestGap };
}

/** A small generator of numbers from 0 to 1 that gives the same ones in every run. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state / 2 ** 31;
  };
}

/** @param jitter how early or late each scrape may be, seconds */
function every(period: number, { from = 0.3, to = 1800, jitter = 0.005, seed = 1 } = {}): number[] {
  const random = numbers(seed);
  const instants: number[] = [];
  for (let at = from; at < to; at += period) instants.push(at + jitter * (2 * random() - 1));
  return instants;
}

/** The scrapes by which a rhythm is learned. */
const LEARNED = 4;

// biome-ignore format: one line a case
const STEADY: [what: string, scrapers: readonly (readonly number[])[], conditions?: Conditions][] = [
  ['one every 15 s', [every(15)]],
  ['two every 15 s, 7 s apart', [every(15), every(15, { from: 7.3, seed: 2 })]],
  ['two every 15 s, half a period apart', [every(15), every(15, { from: 7.8, seed: 2 })]],
  ['two every 15 s, a third of a second apart', [every(15), every(15, { from: 0.6, seed: 2 })]],
  ['two every 15 s, 4 s apart, when cache_ttl would suffice', [every(15), every(15, { from: 4.3, seed: 2 })]],
  ['three every 15 s, equally far apart', [every(15), every(15, { from: 5.3, seed: 2 }), every(15, { from: 10.3, seed: 3 })]],
  ['one every 10 s and one every 60 s', [every(10), every(60, { from: 4, seed: 2 })]],
  ['one every 30 s', [every(30)]],
  ['one every 60 s', [every(60)]],
  ['one every 60 s, where collections take a second', [every(60)], { duration: 1 }],
  ['one every 13 s with a jitter of 0.3 s', [every(13, { jitter: 0.3 })]],
  ['one every 5 s', [every(5)]],
  ['one every 2 s', [every(2)]],
];
for (const [what, scrapers, conditions] of STEADY) {
  test(`${what}: as many collections as scrapes, and each scrape gets a snapshot younger than 2 s`, () => {
    const { total, scrapes, ages, collections } = simulate(scrapers, conditions);
    const shown = JSON.stringify({ total, scrapes, collections });
    assert.ok(total <= 1.1 * scrapes + 1, shown);
    assert.ok(collections.scrape <= LEARNED * scrapers.length, shown);
    for (const each of ages)
      for (const [index, age] of each.entries())
        assert.ok(index < 2 * LEARNED || age < 2, `${index}: ${age}; ${shown}`);
  });
}

test('one every 13 s with a jitter of a second: as many collections as scrapes, and few scrapes wait', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const { total, scrapes, collections } = simulate([every(13, { jitter: 1, seed })]);
    const shown = `${seed}: ${JSON.stringify({ total, scrapes, collections })}`;
    assert.ok(total <= 1.1 * scrapes + 1 && collections.scrape <= 0.25 * scrapes, shown);
  }
});

test('one that sleeps 13 s between two scrapes, whatever they take, is followed', () => {
  const random = numbers(7);
  const instants: number[] = [];
  for (let at = 1; at < 1800; at += 13 + 0.3 * random()) instants.push(at);
  const { total, scrapes, collections } = simulate([instants]);
  assert.ok(total <= 1.1 * scrapes + 1 && collections.scrape <= 0.1 * scrapes, JSON.stringify(collections));
});

test('one that stops costs three collections more, then there is one a minute', () => {
  const before = simulate([every(15, { to: 600 })], { until: 600 });
  const { collections, longestGap } = simulate([every(15, { to: 600 })], { until: 1800 });
  assert.equal(collections.expected - before.collections.expected, 3);
  assert.ok(Math.abs(collections.idle - before.collections.idle - 19) <= 1, JSON.stringify(collections));
  assert.ok(longestGap <= 61);
});

test('a scrape that is missed, late or early is answered, and the rhythm stays', () => {
  const instants = every(15);
  instants.splice(40, 1);
  instants[60]! += 4;
  instants[80]! -= 4;
  const { ages, collections } = simulate([instants]);
  assert.ok(
    ages[0]!.every((age) => age <= 5),
    'never older than cache_ttl',
  );
  assert.ok(ages[0]!.filter((age, index) => index > 8 && age > 2).length <= 1, 'only the late one');
  assert.ok(collections.scrape <= LEARNED + 1, JSON.stringify(collections));
});

test('one that changes its interval or its phase is learned again, and the old rhythm costs nothing for long', () => {
  for (const [first, second] of [
    [15, 30],
    [15, 60],
    [60, 15],
    [15, 15.5],
    [30, 20],
  ] as const) {
    const changed = [...every(first, { to: 900 }), ...every(second, { from: 905, to: 3600 })];
    const { ages } = simulate([changed], { until: 3600 });
    const late = simulate([changed.filter((at) => at < 1500)], { until: 1500 });
    const whole = simulate([changed], { until: 3600 });
    const more = whole.total - late.total;
    const expected = changed.filter((at) => at >= 1500).length;
    assert.ok(more <= 1.1 * expected + 2, `${first} then ${second}: ${more} collections for ${expected} scrapes`);
    assert.ok(
      ages[0]!.slice(-20).every((age) => age < 2),
      `${first} then ${second}`,
    );
  }
});

test('nobody: once a minute', () => {
  assert.deepEqual(simulate([[]], { until: 3600 }).collections, { scrape: 0, expected: 0, idle: 60, request: 0 });
});

test('one every five minutes gets a fresh snapshot, and between them there is one collection a minute', () => {
  const { ages, total, longestGap } = simulate([every(300, { to: 7200 })], { until: 7200 });
  assert.ok(ages[0]!.slice(LEARNED).every((age) => age < 2));
  assert.ok(total <= 7200 / 60 + 7200 / 300 + 1 && longestGap <= 90.1, `${total} ${longestGap}`);
});

test('one every second gets a new collection each time where collections are cheap, else at most one every 2 s', () => {
  const cheap = simulate([every(1)], { duration: 0.02 });
  assert.ok(Math.abs(cheap.total - cheap.scrapes) <= 20, JSON.stringify(cheap.collections));
  const dear = simulate([every(1)], { duration: 0.3 });
  assert.ok(dear.total <= 1800 / 2 + 20, JSON.stringify(dear.collections));
  assert.ok(dear.ages[0]!.slice(20).every((age) => age <= 2.01));
});

test('many scrapes at once, or at random, cost no more than cache_ttl or the limit of frequent ones allows', () => {
  const flood = every(0.004, { to: 60, jitter: 0.001 });
  assert.ok(simulate([flood], { until: 60 }).total <= 60 / 0.5 + 2);
  for (let seed = 1; seed <= 10; seed++) {
    const random = numbers(seed);
    const instants = Array.from({ length: 200 }, () => 1800 * random()).sort((a, b) => a - b);
    const { total, scrapes } = simulate([instants]);
    assert.ok(total <= 1.5 * scrapes + 30, `${seed}: ${total} for ${scrapes}`);
  }
});

test('where every scrape has to collect, none is expected', () => {
  const { collections, scrapes } = simulate([every(15)], { cacheTtl: 0 });
  assert.deepEqual(collections, { scrape: scrapes, expected: 0, idle: 1, request: 0 });
});

test('collections that take longer than cache_ttl begin before the scrape, which joins them', () => {
  const { collections, ages } = simulate([every(60)], { duration: 6 });
  assert.ok(collections.scrape <= LEARNED && ages[0]!.slice(LEARNED).every((age) => age > 1 && age < 2));
});
