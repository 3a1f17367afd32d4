import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Classifier } from './classifier.ts';
import { type Identity, UNKNOWN_IDENTITY } from './identity.ts';
import { KnownNames } from './known-names.ts';
import { otherLooks } from './other-looks.ts';
import { releaseEnd } from './release-name.ts';
import { parseRules } from './rule-parser.ts';

const known = new KnownNames();
const names = 'nginx minio shop agentd vendor agent dovecot nginx-x squid';
for (const rule of parseRules({ rule: [{ group: 'g', subgroup: 's', comm: names.split(' ') }] }, 'x.toml'))
  known.add(rule);

const looks = (given: Partial<Identity>, script = '') =>
  otherLooks({ ...UNKNOWN_IDENTITY, ...given }, script, known, false).map(
    ({ kind, identity }) => `${kind} ${identity.name}`,
  );

test('a name without version and platform', () => {
  const cases: [name: string, bare: string][] = [
    ['minio-linux-amd64', 'minio'],
    ['redis-server-7.2', 'redis-server'],
    ['traefik_linux-amd64', 'traefik'],
    ['node_exporter-1.8.2.linux-amd64', 'node_exporter'],
    ['prometheus-v2.45.0', 'prometheus'],
    ['loki-linux-arm64', 'loki'],
    ['etcd-v3.5.0-rc.1-linux-amd64', 'etcd'],
    ['kubectl-x86_64-unknown-linux-gnu', 'kubectl'],
    ['victoria-metrics-prod', 'victoria-metrics'],
    ['nginx', ''],
    ['x-1.0', 'x-1'],
    ['', ''],
  ];
  for (const [name, bare] of cases) assert.equal(name.slice(0, releaseEnd(name)), bare || name, name);
});

test('other names of a process, the surest first', () => {
  assert.deepEqual(looks({ name: 'nginx', exe: '/usr/sbin/nginx', argv: ['nginx: worker process'] }), []);
  assert.deepEqual(looks({ name: 'timeout', argv: ['timeout', '9', 'minio-linux-amd64'], unit: 'shop@3.service' }), [
    'launched minio-linux-amd64',
    'script minio-linux-amd64',
    'release minio',
    'unit shop',
  ]);
  assert.deepEqual(looks({ name: 'main', exe: '/opt/Vendor/agent-2.1/bin/agentd', argv: ['main'] }), [
    'name agentd',
    'folder vendor',
    'folder agent',
  ]);
  assert.deepEqual(looks({ name: 'imap', argv: ['dovecot/imap [u 10.0.0.1]'] }), ['name dovecot']);
  // A script from a package counts as itself, whatever started it; a person's script has a name that says nothing.
  const python = (script: string) => looks({ name: 'python3', argv: ['python3', script, '-x'] }, script);
  assert.deepEqual(python('/usr/sbin/anyd'), ['installed anyd']);
  assert.deepEqual(python('/usr/share/any/anyd.py'), ['installed anyd', 'installed anyd.py']);
  assert.deepEqual(python('/opt/any/anyd'), ['installed anyd']);
  assert.deepEqual(python('/opt/any/anyd.py'), ['installed anyd.py']);
  for (const script of [
    '/usr/local/bin/squid',
    '/home/joe/squid',
    'squid',
    '/usr/bin/../../tmp/squid',
    '/opt/../tmp/squid',
  ])
    assert.deepEqual(python(script), []);
  // Only root names a system unit: neither a user's unit nor one in a container says anything.
  assert.deepEqual(looks({ name: 'x', unit: 'user@1000.service/nginx.service' }), []);
  assert.deepEqual(looks({ name: 'x', unit: 'nginx.service', container: 'f00d' }), []);
});

test('a hostile command line has a limited number of looks', () => {
  const argv = Array.from(
    { length: 200 },
    (_, i) => ['sh', '/start-a-start-b-start-c-start.sh', 'env', 'sudo'][i % 4]!,
  );
  assert.ok(looks({ name: 'sh', argv }).length <= 24);
  const script = `/x/kafka${'-start'.repeat(100)}.sh`;
  assert.equal(looks({ name: 'sh', argv: ['sh', script] }, script).length, 24);
});

const classifier = new Classifier(
  [],
  parseRules(
    {
      group: 'g',
      rule: [
        { subgroup: 'server', comm: 'acmed' },
        { subgroup: 'clients', comm: 'acmectl' },
        { subgroup: 'worker', script: 'acme-worker' },
        { subgroup: 'runtime', comm: ['sh', 'python3'], fallback: true },
        { group: 'system', subgroup: 'cron', comm: 'crond' },
        { group: 'desktop', subgroup: 'chat', comm: 'chatty' },
      ],
    },
    'x.toml',
  ),
);
const subgroupOf = (given: Partial<Identity>) => classifier.classify({ ...UNKNOWN_IDENTITY, ...given }).subgroup;

test('which look decides', () => {
  const python = { name: 'python3', exe: '/usr/bin/python3', argv: ['python3', '/x.py'] };
  assert.equal(subgroupOf({ name: 'sh', argv: ['sh', '-c', 'acmed -f'] }), 'server');
  assert.equal(subgroupOf({ name: 'timeout', argv: ['timeout', '9', 'python3', '/x.py'] }), 'runtime');
  assert.equal(subgroupOf({ name: 'sh', argv: ['sh', '-c', 'python3 /x.py'] }), 'runtime');
  assert.equal(subgroupOf({ name: 'sh', argv: ['sh', '-c', 'acme-worker -n 4'] }), 'worker');
  assert.equal(subgroupOf({ ...python, unit: 'acmed.service' }), 'server');
  assert.equal(subgroupOf({ ...python, unit: 'acme-worker@2.service' }), 'worker');
  assert.equal(subgroupOf({ name: 'perl', argv: ['perl', '-w', '/usr/sbin/acmed', '-f'] }), 'server');
  assert.equal(subgroupOf({ name: 'perl', argv: ['perl', '/usr/local/sbin/acmed'] }), 'other');
  // A start script is called after a server. Somebody's script about a client, cron or a desktop is not that program.
  const script = (path: string) => subgroupOf({ name: 'bash', exe: '/bin/bash', argv: ['bash', path] });
  assert.equal(script('/opt/acmed-start.sh'), 'server');
  assert.equal(script('/home/joe/acme-worker.sh'), 'worker');
  for (const own of ['acmectl.sh', 'crond_start.sh', 'chatty.sh', 'run-python3.sh'])
    assert.equal(script(`/home/joe/${own}`), 'other', own);
  // A folder or a unit names the server; the client, the runtime and what cron starts are not meant by it.
  assert.equal(subgroupOf({ ...python, unit: 'acmectl.service' }), 'runtime');
  assert.equal(subgroupOf({ ...python, unit: 'crond.service' }), 'runtime');
  assert.equal(subgroupOf({ name: 'x', exe: '/opt/acmectl/x', argv: ['x'] }), 'other');
  assert.equal(subgroupOf({ name: 'x', exe: '/opt/python3/x', argv: ['x'] }), 'other');
  assert.equal(subgroupOf({ name: 'x', exe: '/opt/acmed/bin/x', argv: ['x'] }), 'server');
});

test('the rule that decides under another name is explained', () => {
  const identity = { ...UNKNOWN_IDENTITY, name: 'timeout', argv: ['timeout', '9', 'acmed'] };
  const { winner, classification } = classifier.explain(identity);
  const { look } = classifier.compareDecision(winner!.rule, identity);
  assert.deepEqual([winner?.held[0]?.value, look?.kind, classification.subgroup], ['acmed', 'launched', 'server']);
});
