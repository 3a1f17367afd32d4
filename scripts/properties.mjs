// fast-check, as the tests see it (test-bundle.mjs puts this in its place): `npm run unit` tries the same values every
// time, so that a green run stays green; `npm run fuzz` tries new ones until the time of each property is over.
import * as fastCheck from 'fast-check';

export * from 'fast-check';

/** Where a property's values begin. */
const seed = Number(process.env.PROPERTY_SEED ?? 1);

/** How long each property is tried, again and again; 0 means once. */
const seconds = Number(process.env.PROPERTY_SECONDS ?? 0);

fastCheck.configureGlobal({ seed });

/**
 * Tries a property as often as it says (numRuns), then again with the next seed while there is time. Whole rounds,
 * because some tests count what their values have covered.
 * @param {import('fast-check').IRawProperty<any>} property
 * @param {import('fast-check').Parameters<any>} [parameters]
 */
export function assert(property, parameters) {
  const end = performance.now() + seconds * 1000;
  let next = seed;
  const once = () => fastCheck.assert(property, { ...parameters, seed: next++ });
  if (property.isAsync()) {
    return (async () => {
      do await once();
      while (performance.now() < end);
    })();
  }
  do once();
  while (performance.now() < end);
}

export default { ...fastCheck, assert };
