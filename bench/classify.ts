// Measures classification of processes never seen before: node --import tsx --import ./scripts/toml-loader.mjs bench/classify.ts
// Aim: 10,000 distinct ones in less than 15 ms, on a classifier that has met others (its machines are warm).
import { catalogue } from '../catalogue/index.ts';
import { Classifier } from '../src/process/classify.ts';
import type { Identity } from '../src/process/process.ts';
import { parseCatalogue } from '../src/process/rules.ts';

const COUNT = 10_000;
/** Milliseconds of processor time: unlike the clock, right on a machine that is shared. */
const cpu = () => process.cpuUsage().user / 1000;

const started = cpu();
const rules = parseCatalogue(catalogue);
const classifier = new Classifier([], rules);
console.log(`${rules.length} rules ready in ${(cpu() - started).toFixed(1)} ms`);

const nowhere = { exe: '', user: '', unit: '', container: '', podUid: '' };
const examples = rules.flatMap((rule) => rule.examples);
const populations: Record<string, (i: number) => Identity> = {
  'every example in turn': (i) => ({ ...examples[i % examples.length]!, user: String(i) }),
  'names nobody knows': (i) => ({
    ...{ ...nowhere, name: `acme-${i}`, argv: [`/opt/acme/bin/acme-${i}`, '--listen', String(i)] },
    ...{ exe: `/opt/acme/bin/acme-${i}`, unit: `acme-${i}.service` },
  }),
  'a usual host': (i) => {
    const own = `/srv/app${i}`;
    const usual: Partial<Identity>[] = [
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
    return { ...nowhere, name: '', argv: [], ...usual[i % usual.length]! };
  },
};

for (const [what, of] of Object.entries(populations)) {
  const times: number[] = [];
  for (let round = 0; round < 7; round++) {
    const processes = Array.from({ length: COUNT }, (_, i) => of(round * COUNT + i));
    const before = cpu();
    for (const identity of processes) classifier.classify(identity);
    times.push(cpu() - before);
  }
  const [first, ...later] = times.map((time) => time.toFixed(1));
  console.log(`${what}: ${COUNT} in ${first} ms of processor time cold, then ${later.join(' ')}`);
}
