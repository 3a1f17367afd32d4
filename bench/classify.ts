// How long it takes to find the groups of new processes, compared with a loop over all rules; and how long one hostile
// process can take. All processes are different, and their texts are made from bytes, like the kernel's.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { catalogue } from '../catalogue/index.ts';
import { Classifier } from '../src/rules/classifier.ts';
import type { Classification, Identity } from '../src/rules/identity.ts';
import type { Rule } from '../src/rules/rule.ts';
import { parseCatalogue, parseRules } from '../src/rules/rule-parser.ts';
import { askEveryRule } from '../test/every-rule.ts';
import { median, quantile } from './machine.ts';

const COUNT = 10_000;
const ROUNDS = 20;
/** First rounds, which do not count because the just-in-time compiler is still at work. */
const WARM_UP = 6;

/** Makes process number i. */
type MakeProcess = (i: number) => Partial<Identity>;

const EMPTY: Identity = { name: '', exe: '', argv: [], user: '', unit: '', container: '', podUid: '' };

function usual(i: number): Partial<Identity> {
  const own = `/srv/app${i}`;
  const kinds: Partial<Identity>[] = [
    {
      name: 'postgres',
      argv: [`postgres: app app 10.0.0.${i % 250}(${i}) idle`],
      exe: '/usr/lib/postgresql/15/bin/postgres',
    },
    { name: 'nginx', argv: ['nginx: worker process'], exe: '/usr/sbin/nginx' },
    { name: 'java', argv: ['java', '-Xmx1g', '-cp', `${own}/lib.jar`, `com.acme.Main${i}`], exe: '/usr/bin/java' },
    { name: 'node', argv: ['node', `${own}/server.js`], exe: '/usr/bin/node' },
    { name: 'python3.11', argv: ['/usr/bin/python3.11', `${own}/main.py`], exe: '/usr/bin/python3.11' },
    { name: `worker-${i}`, argv: [`${own}/worker-${i}`], exe: `${own}/worker-${i}` },
    { name: 'sshd', argv: [`sshd: user${i}@pts/0`], exe: '/usr/sbin/sshd' },
    { name: 'containerd-shim', argv: ['/usr/bin/containerd-shim-runc-v2', '-id', String(i)] },
  ];
  return kinds[i % kinds.length]!;
}

const unknown: MakeProcess = (i) => ({
  ...{ name: `acme-${i}`, argv: [`/opt/acme/bin/acme-${i}`, '--listen', String(i)] },
  ...{ exe: `/opt/acme/bin/acme-${i}`, unit: `acme-${i}.service` },
});

/** Rules of a user with twenty services; the regular expressions are tried on every process. */
const OWN = {
  rule: Array.from({ length: 20 }, (_, i) => ({
    ...{ group: 'own', subgroup: `service${i}` },
    ...(i % 2 ? { argv: `(^|/)service${i}(\\s|$).*--role[= ]worker` } : { comm: `service${i}-*` }),
  })),
};

/** A text as decoding makes it: flat in memory, and never used as a key before. */
const fresh = (text: string): string => Buffer.from(text).toString('utf8');
const asRead = (given: Partial<Identity>): Identity => {
  const { name, exe, argv, unit, container } = { ...EMPTY, ...given };
  return {
    ...EMPTY,
    name: fresh(name),
    exe: fresh(exe),
    argv: argv.map(fresh),
    unit: fresh(unit),
    container: fresh(container),
  };
};

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

/** Processor time of all threads in milliseconds, garbage collection and compiling included. */
function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

type Classify = (identity: Identity) => Classification;

/** Processes measured together: the exporter classifies each process after reading it, not ten thousand at once. */
const BATCH = 500;

/** Milliseconds for a batch of processes that no earlier batch had, scaled to COUNT processes. */
function time(classify: Classify, make: MakeProcess, from: number): { clock: number; processor: number } {
  const processes = Array.from({ length: BATCH }, (_, i) => asRead(make(from + i)));
  const [processor, clock] = [processorTime(), performance.now()];
  for (const identity of processes) classify(identity);
  const share = COUNT / BATCH;
  return { clock: (performance.now() - clock) * share, processor: (processorTime() - processor) * share };
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

function heapUsed(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

/** Milliseconds for 10,000 processes, in a program that has classified others before. */
export interface Speed {
  readonly processes: string;
  /** Wall time, of batches: other programs on the machine slow down only a few of them. */
  readonly median: number;
  readonly low: number;
  readonly high: number;
  /** Mean of the processor time of all threads, garbage collection included. */
  readonly processor: number;
  /** The first ten thousand. In the first line the program has classified nothing before. */
  readonly first: number;
  /** Trying every rule in order, wall time. */
  readonly everyRule: number;
}

/** Milliseconds for one hostile process: the first of its kind, and the median of nine more. */
export interface Harm {
  readonly process: string;
  readonly first: number;
  readonly later: number;
}

export interface ClassifyResults {
  readonly speed: readonly Speed[];
  readonly harm: readonly Harm[];
  readonly rules: number;
  /** Bytes of the JavaScript heap: rules and classifier; and what DFAs and compiled functions added after that. */
  readonly heapRules: number;
  readonly heapGrown: number;
}

function speedOf(
  processes: string,
  make: MakeProcess,
  userRules: readonly Rule[],
  rules: readonly Rule[],
  classifier: Classifier,
): Speed {
  const batches = Array.from({ length: (ROUNDS * COUNT) / BATCH }, (_, i) =>
    time((identity) => classifier.classify(identity), make, i * BATCH),
  );
  const naive = askEveryRule(userRules, rules);
  const peer = [0, 1, 2].map((i) => time(naive, make, ROUNDS * COUNT + i * BATCH).clock);
  const warm = batches.slice((WARM_UP * COUNT) / BATCH);
  const clock = warm.map((batch) => batch.clock);
  return {
    processes,
    ...{ median: median(clock), low: quantile(clock, 0.1), high: quantile(clock, 0.9) },
    processor: mean(warm.map((batch) => batch.processor)),
    first: mean(batches.slice(0, COUNT / BATCH).map((batch) => batch.clock)),
    everyRule: median(peer),
  };
}

const KIB = 1024;
const letters = (length: number, alphabet: string): string => {
  let seed = 7;
  const next = () => {
    seed = (seed * 48_271) % 0x7fffffff;
    return seed;
  };
  return Array.from({ length }, () => alphabet[next() % alphabet.length]).join('');
};

/** Command lines and expressions that could stall a collection, written with intent or carelessly. */
function harms(rules: readonly Rule[]): Harm[] {
  const cases: [process: string, argv: readonly string[], expressions: readonly string[]][] = [
    ['2 MiB in one argument, catalogue alone', ['a'.repeat(2 << 20)], []],
    [
      '2 MiB in 30,000 arguments, catalogue alone',
      Array.from({ length: 30_000 }, (_, i) => `${i}`.padEnd(69, 'x')),
      [],
    ],
    ['2 MiB title of spaces, catalogue alone', [' '.repeat(2 << 20)], []],
    ['64 KiB of a, (a+)+$', [`${'a'.repeat(64 * KIB - 1)}!`], ['(a+)+$']],
    ['64 KiB of a, .*a.*a.*a.*b', ['a'.repeat(64 * KIB)], ['.*a.*a.*a.*b']],
    ['64 KiB of a and b, (a|b)*a(a|b){14}c', [`${letters(64 * KIB - 1, 'ab')}c`], ['(a|b)*a(a|b){14}[cd]']],
    ['64 KiB of a and b, ([ab]?){900}c', [letters(64 * KIB, 'ab')], ['([ab]?){900}[cd]']],
    ['64 KiB of anything, (?i)(\\w+\\s?)+[!?]$', [letters(64 * KIB, 'abcdefghij é€😀')], ['(?i)(\\w+\\s?)+[!?]$']],
    [
      '64 KiB of a, twenty expressions that need no letter',
      ['a'.repeat(64 * KIB)],
      Array.from({ length: 20 }, (_, i) => `(a|b)+[c-f]{${i + 1}}$`),
    ],
    [
      '64 KiB of words, 10,000 expressions with required literals',
      ['abcdefghij'.repeat(6554)],
      Array.from({ length: 10_000 }, (_, i) => `service${i}x.*worker`),
    ],
    [
      '64 KiB of words, 10,000 expressions that need no letter',
      ['abcdefghij'.repeat(6554)],
      Array.from({ length: 10_000 }, (_, i) => `(a|b)*a(.){${9 + (i % 9)}}[k-z]`),
    ],
    [
      '200 characters, 10,000 expressions that need no letter',
      ['abcdefghij'.repeat(20)],
      Array.from({ length: 10_000 }, (_, i) => `((a+)+b?)+[k-z]{${1 + (i % 9)}}`),
    ],
  ];
  return cases.map(([proc, argv, expressions]) => {
    const own = parseRules(
      { rule: expressions.map((expression) => ({ group: 'x', subgroup: 'x', comm: 'evil', argv: expression })) },
      'own',
    );
    const classifier = new Classifier(own, rules);
    const [first, ...later] = Array.from({ length: 10 }, () => {
      const identity = { ...asRead({ name: 'evil', exe: '/opt/evil' }), argv: argv.map(fresh) };
      const before = performance.now();
      classifier.classify(identity);
      return performance.now() - before;
    });
    return { process: proc, first: first!, later: median(later) };
  });
}

/** Classifies usual, unknown and hostile processes. @param log gets a line for each measurement */
export function measureClassification(log: (line: string) => void): ClassifyResults {
  const before = heapUsed();
  const rules = parseCatalogue(catalogue);
  const classifier = new Classifier([], rules);
  const heapRules = heapUsed() - before;
  const examples = rules.flatMap((rule) => rule.examples);
  const own = parseRules(OWN, 'own');
  const measure = (processes: string, make: MakeProcess, userRules: readonly Rule[] = [], by = classifier): Speed => {
    log(`classifying ${processes}`);
    return speedOf(processes, make, userRules, rules, by);
  };
  const speed = [
    measure('a usual host', usual),
    measure('names that no rule knows', unknown),
    measure('every example of the catalogue in turn', (i) => examples[i % examples.length]!),
  ];
  const heapGrown = heapUsed() - before - heapRules;
  speed.push(measure("a usual host, 20 rules of the user's", usual, own, new Classifier(own, rules)));
  log('classifying hostile processes');
  return { speed, harm: harms(rules), rules: rules.length, heapRules, heapGrown };
}

const shown = (value: number): string => (value < 100 ? value.toFixed(1) : value.toFixed(0));

export function classificationTables({ speed, harm, rules, heapRules, heapGrown }: ClassifyResults): string {
  const mebibytes = (bytes: number) => (bytes / 2 ** 20).toFixed(1);
  return [
    '| 10,000 new processes, ms | median (10–90 %) | processor time, GC included | the first 10,000 | trying every rule |',
    '|---|---|---|---|---|',
    ...speed.map(
      ({ processes, median, low, high, processor, first, everyRule }) =>
        `| ${processes} | ${shown(median)} (${shown(low)}–${shown(high)}) | ${shown(processor)} | ${shown(first)} | ${shown(everyRule)} |`,
    ),
    '',
    '| one hostile process, ms | first of its kind | median of nine more |',
    '|---|---|---|',
    ...harm.map(
      ({ process: proc, first, later }) =>
        `| ${proc.replaceAll('|', '\\|')} | ${first.toFixed(2)} | ${later.toFixed(2)} |`,
    ),
    '',
    `${rules} rules: ${mebibytes(heapRules)} MiB of heap, and ${mebibytes(heapGrown)} MiB more after the catalogue's lines above.`,
  ].join('\n');
}
