// The classifier finds by index what asking every rule in order finds, for the catalogue and rules of users alike.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { shippedExamples, shippedRules } from '../scripts/shipped-rules.ts';
import { Classifier } from '../src/rules/classifier.ts';
import type { Identity } from '../src/rules/identity.ts';
import type { Rule } from '../src/rules/rule.ts';
import { parseRules } from '../src/rules/rule-parser.ts';
import { askEveryRule } from './every-rule.ts';

function agree(userRules: readonly Rule[], rules: readonly Rule[]): (identity: Identity) => void {
  const classifier = new Classifier(userRules, rules);
  const naive = askEveryRule(userRules, rules);
  let asked = 0;
  return (identity) => {
    const expected = naive(identity);
    assert.deepEqual(classifier.classify(identity), expected);
    // To explain compares every rule once more: each third process is enough to see that it agrees.
    if (asked++ % 3 === 0) assert.deepEqual(classifier.explain(identity).classification, expected);
  };
}

/** Of the whole catalogue: made once. */
const agreeOfCatalogue = agree([], shippedRules);

// That an example has the class that its rule gives is asked of every one in catalogue.test.ts.
test('examples of the catalogue have the class that asking every rule gives', () => {
  fc.assert(fc.property(fc.constantFrom(...shippedExamples), agreeOfCatalogue), { numRuns: 150 });
});

/** A process made of parts of examples, so that parts of different programs meet in it. */
function mixtureOf(examples: readonly Identity[]): fc.Arbitrary<Identity> {
  const partOf = <K extends keyof Identity>(key: K): fc.Arbitrary<Identity[K]> =>
    fc.constantFrom(...examples).map((example) => example[key]);
  const word = fc.oneof(
    partOf('name'),
    partOf('exe'),
    partOf('argv').map((argv) => argv[0] ?? ''),
    fc.constantFrom('-jar', '-m', '-c', '--', '-s', 'java', '/usr/bin/python3.11', 'node', 'sh', 'x y', '', 'é'),
    fc.string({ maxLength: 20 }),
  );
  /** A name as the kernel keeps it: whole, or its start with another word behind it, cut at 15 characters. */
  const name = fc.oneof(
    partOf('name'),
    fc.tuple(partOf('name'), fc.nat(15), word).map(([start, at, end]) => (start.slice(0, at) + end).slice(0, 15)),
  );
  const inFolder = fc.tuple(fc.constantFrom('/opt/', '/usr/bin/'), name).map((parts) => parts.join(''));
  return fc.record({
    name,
    exe: fc.oneof(partOf('exe'), fc.constant(''), inFolder),
    argv: fc.oneof(partOf('argv'), fc.array(word, { maxLength: 6 })),
    user: fc.constant(''),
    unit: fc.oneof(partOf('unit'), fc.constantFrom('', 'ssh.service')),
    container: fc.oneof(partOf('container'), fc.constantFrom('', 'f00d'.repeat(16))),
    podUid: fc.constant(''),
  });
}

test('processes made of parts of examples have the class that asking every rule gives', () => {
  fc.assert(fc.property(mixtureOf(shippedExamples), agreeOfCatalogue), { numRuns: 120 });
});

/** Rules that a user could write for some of these texts: the text, its start, a piece of it, an expression. */
function userRules(texts: readonly string[]): fc.Arbitrary<unknown[]> {
  const text = fc.constantFrom(...texts);
  const piece = fc.tuple(text, fc.nat(12), fc.integer({ min: 1, max: 40 }));
  const literal = fc.oneof(
    text,
    piece.map(([whole, from, size]) => whole.slice(from, from + size) || whole),
  );
  const plain = literal.map((whole) => whole.replace(/[*?[\\]/g, '\\$&'));
  const pattern = fc.oneof(
    plain,
    fc.tuple(plain, fc.constantFrom('*', '?', '[a-z]*', '*/**')).map((parts) => parts.join('')),
    fc.tuple(fc.constantFrom('*', '**/', '?', '/*/'), plain, fc.constantFrom('', '*')).map((parts) => parts.join('')),
  );
  const escaped = literal.map((whole) => whole.replace(/[^\w\s/-]/g, '\\$&'));
  const expression = fc.oneof(
    escaped,
    escaped.map((a) => `^${a}`),
    escaped.map((a) => `(?i)${a.toUpperCase()}`),
    fc.tuple(escaped, escaped).map(([a, b]) => `(${a}|${b})`),
    fc.tuple(escaped, escaped).map(([a, b]) => `${a}.*\\b${b}`),
    fc.tuple(escaped, escaped).map(([a, b]) => `(${a})+(?:${b})?$`),
  );
  const values = fc.array(pattern, { minLength: 1, maxLength: 3 });
  const expressions = fc.array(expression, { minLength: 1, maxLength: 2 });
  const key = fc.oneof(
    ...['comm', 'exe', 'argv0', 'script', 'jvm_main', 'python_module', 'unit', 'container'].map((of) =>
      values.map((list) => ({ [of]: list })),
    ),
    expressions.map((argv) => ({ argv })),
    expressions.map((together) => ({ argv: [together] })),
  );
  const rule = fc.tuple(fc.array(key, { minLength: 1, maxLength: 2 }), fc.constantFrom({}, {}, { fallback: true }));
  return fc
    .array(rule, { minLength: 1, maxLength: 6 })
    .map((list) => list.map((parts, i) => Object.assign({ group: 'own', subgroup: `s${i}` }, ...parts.flat())));
}

/** Rules that stand together in the catalogue: of one group, or of two. */
const NEIGHBOURS = 200;

test("users' rules decide as asking every rule does", () => {
  // To build a classifier costs more than to ask it: of few rules of the catalogue, and several processes for each.
  const few = fc.nat(shippedRules.length - NEIGHBOURS).map((from) => {
    const isNear = (i: number) => i >= from && i < from + NEIGHBOURS;
    return shippedRules.filter(({ group }, i) => group === 'runtime' || isNear(i));
  });
  const given = few.chain((shipped) => {
    const examples = shipped.flatMap((rule) => rule.examples);
    return fc.array(mixtureOf(examples), { minLength: 1, maxLength: 8 }).chain((list) => {
      const texts = list.flatMap((proc) => [proc.name, proc.exe, proc.unit, proc.container, ...proc.argv]);
      const written = texts.filter((text) => text !== '').map((text) => text.slice(0, 100));
      return fc.tuple(fc.constant(shipped), fc.constant(list), userRules([...written, 'x']));
    });
  });
  let decided = 0;
  fc.assert(
    fc.property(given, ([shipped, list, own]) => {
      const rules = parseRules({ rule: own }, 'own.toml');
      list.forEach(agree(rules, shipped));
      const ownAlone = new Classifier(rules, []);
      decided += list.filter((proc) => ownAlone.classify(proc).group === 'own').length;
    }),
    { numRuns: 50 },
  );
  assert.ok(decided > 4, `users' rules decided only ${decided} times`);
});
