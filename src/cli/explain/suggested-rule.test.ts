import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parse } from 'smol-toml';
import { shippedClassifier, shippedRules } from '../../../scripts/shipped-rules.ts';
import { Classifier } from '../../rules/classifier.ts';
import type { Identity } from '../../rules/identity.ts';
import { parseRules } from '../../rules/rule-parser.ts';
import { escapeForTerminal } from '../../text/hostile.ts';
import { programKey, suggestRule } from './suggested-rule.ts';

const identity = (given: Partial<Identity>): Identity => ({
  ...{ name: 'acmed', exe: '', argv: [], user: '', unit: '', container: '', podUid: '' },
  ...given,
});
const words = (line: string) => line.split(' ');
const without = (toml: string | undefined) =>
  toml?.replace(/^\[\[rule\]\]\ngroup = "local"\n/, '').replaceAll('\n', ' ');

// biome-ignore format: one line a case
const suggested: [process: Partial<Identity>, rule: string | undefined][] = [
  [{ name: 'acmed' }, 'subgroup = "acmed" comm = "acmed"'],
  [{ name: 'acmed', exe: '/opt/acme/bin/acmed', argv: ['acmed', '-x'] }, 'subgroup = "acmed" comm = "acmed"'],
  [{ name: 'acme-collector-', exe: '/opt/acme-collector-eu', argv: ['acme-collector-eu'] }, 'subgroup = "acme-collector-eu" comm = "acme-collector-eu"'],
  [{ name: 'io-thread-7', exe: '/opt/acme/bin/acmed', argv: ['/opt/acme/bin/acmed'] }, 'subgroup = "acmed" exe = "acmed"'],
  [{ name: 'io-thread-7', argv: ['/opt/acme/bin/acmed'] }, 'subgroup = "acmed" exe = "acmed"'],
  [{ name: 'httpd-acme', exe: '/bin/busybox', argv: ['httpd-acme'] }, 'subgroup = "httpd-acme" comm = "httpd-acme"'],
  [{ name: 'worker', exe: '/opt/acme/worker', argv: ['worker'] }, 'subgroup = "worker" exe = "/opt/acme/worker"'],
  [{ name: 'worker', unit: 'acme.service' }, 'subgroup = "worker" comm = "worker" unit = "acme.service"'],
  [{ name: 'worker', unit: 'session-3.scope' }, 'subgroup = "worker" comm = "worker" fallback = true'],
  [{ name: 'python3', exe: '/usr/bin/python3.11', argv: words('python3 -m acme.sync') }, 'subgroup = "acme.sync" python_module = "acme.sync"'],
  [{ name: 'python3', exe: '/usr/bin/python3.11', argv: words('python3 /srv/bill.py') }, 'subgroup = "bill" script = "bill.py"'],
  [{ name: 'python3', exe: '/usr/bin/python3.11', argv: words('python3 /srv/acme/main.py') }, 'subgroup = "main" script = "/srv/acme/main.py"'],
  [{ name: 'python3', argv: words('python3 main.py'), unit: 'acme.service' }, 'subgroup = "main" script = "main.py" unit = "acme.service"'],
  [{ name: 'python3', exe: '/usr/bin/python3.11', argv: words('python3 -c x'), unit: 'acme.service' }, 'subgroup = "python3" comm = "python3" unit = "acme.service"'],
  [{ name: 'java', exe: '/usr/bin/java', argv: words('java -Xmx1g com.acme.Billing') }, 'subgroup = "Billing" jvm_main = "com.acme.Billing"'],
  [{ name: 'a*b[c]', argv: ['a*b[c]'] }, String.raw`subgroup = "a-b-c" comm = "a\\*b\\[c]"`],
  [{ name: 'a\u001b[2J"\\é' }, String.raw`subgroup = "a-2J" comm = "a\u001b\\[2J\"\\\\é"`],
  [{ name: 'rtl\u202e\u007f' }, String.raw`subgroup = "rtl" comm = "rtl\u202e\u007f"`],
  [{ name: 'acme-service-ke', argv: ['acme-service-key tangerine'] }, 'subgroup = "acme-service-key" script = "acme-service-key"'],
  [{ name: 'node', exe: '/usr/bin/node', argv: ['node', '--acme-key', 'tangerine'] }, 'subgroup = "node" comm = "node" fallback = true'],
  [{ name: 'token=abcdef' }, undefined],
  [{ name: '' }, undefined],
  [{ name: '6', exe: '/memfd:runc_cloned:/proc/self/exe', argv: ['runc', 'init'] }, undefined],
  [{ name: 'loader', exe: '/memfd:' }, undefined],
];
for (const [proc, rule] of suggested)
  test(`${JSON.stringify(proc)} becomes ${rule}`, () => assert.equal(without(suggestRule([identity(proc)], [])), rule));

test('no suggestion takes a process away from a rule that matches it now', () => {
  const ours = identity({ name: 'acmed', exe: '/opt/acme/bin/acmed', argv: ['acmed'] });
  const twin = { identity: identity({ name: 'acmed', exe: '/usr/bin/acmed', argv: ['acmed'] }), fallback: false };
  assert.equal(without(suggestRule([ours], [twin])), 'subgroup = "acmed" exe = "/opt/acme/bin/acmed"');
  const same = { ...twin, identity: { ...ours } };
  assert.equal(
    without(suggestRule([ours], [same])),
    'subgroup = "acmed" comm = "acmed" fallback = true',
    'it only waits',
  );
  assert.equal(suggestRule([ours], [{ ...same, fallback: true }]), undefined);
});

test('a rule has to match all processes of a program', () => {
  const fleet = [1, 2, 3].map((n) => identity({ name: `w${n}`, exe: '/opt/acmed', argv: ['/opt/acmed'] }));
  assert.equal(new Set(fleet.map(programKey)).size, 1);
  assert.equal(without(suggestRule(fleet, [])), 'subgroup = "acmed" exe = "acmed"');
  const applets = ['sh-a', 'sh-b'].map((name) => identity({ name, exe: '/bin/busybox', argv: [name] }));
  assert.equal(new Set(applets.map(programKey)).size, 2);
  const odd = [...fleet, identity({ name: 'w4', exe: '/opt/other', argv: ['/opt/other'] })];
  assert.equal(suggestRule(odd, []), undefined);
});

test('for any process, a suggestion can be pasted, matches it, and does no harm on a terminal', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 20 }),
    fc.constantFrom('python3', 'java', '-m', '/a/b.py'),
  );
  const any = fc.record({
    name: text,
    exe: text,
    argv: fc.array(text, { maxLength: 4 }),
    user: text,
    unit: text,
    container: text,
    podUid: text,
  });
  let [found, beside] = [0, 0];
  fc.assert(
    fc.property(any, (given) => {
      const proc = { ...given, name: given.name.toWellFormed(), exe: given.exe.toWellFormed() };
      const toml = suggestRule([proc], []);
      if (toml === undefined) return;
      found++;
      const own = parseRules(parse(toml), 'mine');
      assert.equal(new Classifier(own, []).classify(proc).rule, 'mine:1');
      // A classifier of the whole catalogue for each suggestion would take longer than all the rest.
      if (shippedClassifier.classify(proc).rule === 'none' && beside++ % 20 === 0)
        assert.equal(new Classifier(own, shippedRules).classify(proc).rule, 'mine:1');
      for (const line of toml.split('\n')) assert.equal(escapeForTerminal(line), line);
    }),
    { numRuns: 150 },
  );
  assert.ok(found > 25 && beside > 10, `${found} suggestions were looked at, ${beside} beside the catalogue`);
});
