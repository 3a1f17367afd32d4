// fast-check, as the tests see it (test-bundle.mjs puts this in its place): `npm run unit` tries the same values every
// time, and few of them, so that a green run stays green and is soon over; `npm run fuzz` tries new values until the
// time of each property is over.
import * as fastCheck from 'fast-check';

export * from 'fast-check';

/** Where a property's values begin. */
const seed = Number(process.env.PROPERTY_SEED ?? 1);

/** How many seconds each property is tried, again and again; 0 means once. */
const seconds = Number(process.env.PROPERTY_SECONDS ?? 0);

/** What a property is tried at least, where it does not ask for less. */
const TRIES_MIN = 20;

fastCheck.configureGlobal({ seed });

/**
 * How often a property is tried in a round: in `npm run fuzz` as often as it says (numRuns, or 100), in `npm run unit` a
 * quarter of that. The same values every time find what a change breaks; what no value has found yet, new values find.
 * @param {number} [numRuns]
 */
const triesOf = (numRuns = 100) =>
  seconds > 0 ? numRuns : Math.max(Math.min(numRuns, TRIES_MIN), Math.ceil(numRuns / 4));

/**
 * Tries a property a round long, then again with the next seed while there is time. Whole rounds,
 * because some tests count what their values have covered.
 * @param {import('fast-check').IRawProperty<any>} property
 * @param {import('fast-check').Parameters<any>} [parameters]
 */
export function assert(property, parameters) {
  const end = performance.now() + seconds * 1000;
  let next = seed;
  const once = () => fastCheck.assert(property, { ...parameters, numRuns: triesOf(parameters?.numRuns), seed: next++ });
  if (property.isAsync()) {
    return (async () => {
      do await once();
      while (performance.now() < end);
    })();
  }
  do
    void once(); // it is done when it returns
  while (performance.now() < end);
}

const SURROGATES = { first: 0xd800, count: 0x800 };

/**
 * One code point, and no half of a surrogate pair: what fast-check's unit 'binary' is. That one, however, first puts
 * all 1,112,064 of them in a map, which takes a second in each test file.
 */
const codePoint = fastCheck.nat(0x10ffff - SURROGATES.count).map(
  (n) => String.fromCodePoint(n < SURROGATES.first ? n : n + SURROGATES.count),
  (text) => {
    const code = typeof text === 'string' ? (text.codePointAt(0) ?? 0) : 0;
    const half = code >= SURROGATES.first && code < SURROGATES.first + SURROGATES.count;
    if (typeof text !== 'string' || half || String.fromCodePoint(code) !== text) throw new Error('not one code point');
    return code < SURROGATES.first ? code : code - SURROGATES.count;
  },
);

/** @type {typeof fastCheck.string} */
export const string = (constraints = {}) =>
  fastCheck.string(constraints.unit === 'binary' ? { ...constraints, unit: codePoint } : constraints);

export default { ...fastCheck, assert, string };
