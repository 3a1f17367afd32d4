import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parse } from 'smol-toml';
import { shippedClassifier as classifier, shippedRules as rules } from '../scripts/shipped-rules.ts';
import type { Identity } from '../src/rules/identity.ts';
import { lint, lintCatalogue } from '../src/rules/linter.ts';
import { parseRules } from '../src/rules/rule-parser.ts';
import { catalogue } from './index.ts';

const place = ({ group, subgroup }: { group: string; subgroup: string }) => `${group}/${subgroup}`;
const known = new Set(classifier.subgroups().map(place));

/** What users of earlier programs named "Herakles" expect to be recognised. The catalogue may know more, never less. */
const EXPECTED: Readonly<Record<string, string>> = {
  backup: 'bacula commvault cohesity netbackup networker rubrik spectrum_protect tsm veeam',
  cache: 'memcached redis varnish',
  cicd: 'ansible chef gitlab jenkins openstack puppet saltstack terraform',
  container: 'containerd crio docker kubelet podman',
  db:
    'cassandra clickhouse cockroachdb couchbase couchdb db2 influxdb mongodb mssql mysql oracle percona postgres ' +
    'rethinkdb timescaledb yugabyte',
  erp: 'peoplesoft sap',
  logging: 'elasticsearch filebeat fluentd graylog kibana log_collectors logstash splunk',
  messaging: 'activemq kafka nats nsq pulsar rabbitmq zeromq',
  monitoring:
    'alertmanager blackbox grafana icinga_nagios node_exporter percona prometheus snmp telegraf thanos ' +
    'victoriametrics zabbix',
  network: 'bind dhcp haproxy keepalived lvs ntp proxy_squid vpn',
  runtime: 'go java nodejs php python ruby',
  security:
    'audit_tools freeipa kerberos_client keycloak ldap_client osquery selinux_apparmor snort sssd suricata vault ' +
    'wazuh zeek',
  storage: 'ceph drbd gluster iscsi lustre minio nfs samba',
  system: 'audit cron firewall kernel postfix rsyslog sendmail ssh systemd',
  virtualization: 'libvirt qemu vbox',
  web: 'apache caddy glassfish jetty nginx springboot tomcat weblogic websphere',
};

test('every expected subgroup is there', () => {
  const expected = Object.entries(EXPECTED).flatMap(([group, names]) => names.split(' ').map((n) => `${group}/${n}`));
  assert.deepEqual(
    expected.filter((name) => !known.has(name)),
    [],
  );
  assert.ok(known.size >= 220, `${known.size} subgroups`);
});

test('every rule has a source and an example, and decides its examples', () => {
  for (const rule of rules) {
    assert.notEqual(rule.source, '', `${rule.name} has no source`);
    assert.ok(rule.examples.length > 0, `${rule.name} has no example`);
    for (const example of rule.examples) assert.equal(classifier.classify(example).rule, rule.name);
    for (const example of rule.notExamples)
      assert.notEqual(place(classifier.classify(example)), place(rule), rule.name);
  }
});

test('an example whose argv has the path is recognised also where its executable may not be read', () => {
  for (const { name, examples } of rules)
    for (const example of examples.filter(({ exe, argv }) => exe !== '' && argv[0] === exe))
      assert.equal(classifier.classify({ ...example, exe: '' }).rule, name);
});

test('the linter finds nothing', () => {
  assert.deepEqual(
    lintCatalogue(rules).map(({ rule, message }) => `${rule}: ${message}`),
    [],
  );
});

test('a group has one file, named after it', () => {
  for (const { file, document } of catalogue) assert.equal(file, `catalogue/${document.group}.toml`);
  assert.deepEqual(
    rules.filter(({ name, group }) => !name.startsWith(`catalogue/${group}.toml#`)).map(({ name }) => name),
    [],
  );
});

const proc = (name: string, command: string | string[], exe = ''): Identity => ({
  ...{ name, exe, user: '', unit: '', container: '', podUid: '' },
  argv: Array.isArray(command) ? command : command.split(' ').filter(Boolean),
});

test('processes that earlier catalogues got wrong', () => {
  const cases: [what: Identity, where: string][] = [
    [proc('clickhouse-serv', '/usr/bin/clickhouse-server --config=x'), 'db/clickhouse'],
    [proc('blackbox_export', '/bin/blackbox_exporter'), 'monitoring/blackbox'],
    [proc('victoria-metric', '/usr/bin/victoria-metrics'), 'monitoring/victoriametrics'],
    [proc('ora_pmon_ORCL', ['ora_pmon_ORCL']), 'db/oracle'],
    [proc('qemu-system-x86', '/usr/bin/qemu-system-x86_64 -name vm'), 'virtualization/qemu'],
    [proc('python3.11', 'python3.11 /srv/acme.py'), 'runtime/python'],
    [proc('memcached', '/usr/bin/memcached -m 64'), 'cache/memcached'],
    [proc('memcached', '/opt/couchbase/bin/memcached -C x'), 'db/couchbase'],
    [proc('auditd', '/sbin/auditd'), 'system/audit'],
    [proc('beam.smp', 'beam.smp -- -root /x -progname erl -- -s rabbit boot'), 'messaging/rabbitmq'],
    [proc('beam.smp', 'beam.smp -- -root /x -progname couchdb -- -noshell'), 'db/couchdb'],
    [proc('beam.smp', 'beam.smp -- -root /x -progname erl -- -s acme'), 'runtime/erlang'],
    [proc('java', 'java -cp x kafka.Kafka server.properties'), 'messaging/kafka'],
    [proc('java', 'java -jar acme.jar'), 'runtime/java'],
    [proc('logger', 'logger -t x'), 'other/other'],
    [proc('archiver', '/opt/acme/archiver'), 'other/other'],
    [proc('arch', 'arch'), 'other/other'],
    [proc('go', '/usr/games/go'), 'other/other'],
    [proc('vector', '/opt/game/vector engine.dat'), 'other/other'],
    [proc('iris', '/usr/bin/iris'), 'other/other'],
    [proc('kworker/0:1', '/tmp/.x/kworker -o pool:3333'), 'other/other'],
  ];
  for (const [what, where] of cases) assert.equal(place(classifier.classify(what)), where, what.name);
});

// An example that another rule decides is an error.
test('the rule files in docs/classification.md are rules without errors', () => {
  const text = readFileSync(new URL('../docs/classification.md', import.meta.url), 'utf8');
  const blocks = [...text.matchAll(/```toml\n(.*?)```/gs)].map(([, block]) => block!);
  assert.ok(blocks.length >= 3);
  for (const block of blocks) {
    const own = parseRules(parse(block), './subgroups.toml');
    assert.deepEqual(
      lint(own, rules).filter(({ severity }) => severity === 'error'),
      [],
      block,
    );
  }
});
