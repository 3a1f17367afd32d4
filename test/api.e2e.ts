// The API of the real bundle, with real children: a leak is seen in the history and is the group that grew most, numbers are
// those of the metrics, names are hostile, clients have passwords, and an answer that is known is not sent again.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { hashSync } from 'bcryptjs';
import type { DocumentName } from '../src/server/api-v1/documents.ts';
import { checkAnswer } from './api-check.ts';
import type { Exposition } from './exposition-text.ts';
import { childRules, eventually, need, scratch, startChildren, startExporter } from './harness.ts';
import { sendRequest, serve } from './web-server.ts';

const hex = (text: string | Buffer) => Buffer.from(text).toString('hex');
const MIB = 2 ** 20;

/** The value of a series; undefined where there is none. */
const metric = (page: Exposition, name: string, labels: Record<string, string | number>) =>
  page.all(name, labels)[0]?.value;

/** Asks for a document, which has to be as it is declared. */
async function ask(url: string, name: DocumentName, rest: string) {
  const { status, body } = await sendRequest(`${url}/api/v1/${rest}`);
  assert.equal(status, 200, `${rest}: ${body}`);
  const document = JSON.parse(body);
  checkAnswer(name, document);
  return document;
}

test('a leak of 4 MiB a second is seen: it is the group that grew most, and the process has a history', async (t) => {
  if (!need(t, 'cc')) return;
  const rules = childRules('api', ['leak', 'private']);
  await startChildren(t, 'private', 64);
  const { url } = await startExporter(t, { args: ['--interval', '5s', '--subgroups', rules] });
  const started = await ask(url, 'host', 'host');
  assert.deepEqual([started.history.seconds, started.history.step_seconds], [3600, 15]);
  const leak = await startChildren(t, 'leak', 4);
  await eventually(async () => {
    const { groups } = await ask(url, 'groups', 'groups');
    const own = groups.filter(({ group }: { group: string }) => group === 'api');
    own.sort((a: { change_bytes: number }, b: { change_bytes: number }) => b.change_bytes - a.change_bytes);
    assert.equal(own[0].subgroup, 'leak');
    const { series } = await ask(url, 'history', `history?of=process:${leak.pid}`);
    const points: (number | null)[] = series[0].footprint_bytes;
    const known = points.filter((bytes) => bytes !== null);
    assert.ok(known.length >= 3, `${known.length} points`);
    const { at } = await ask(url, 'history', 'history?of=groups');
    const span = at[points.length - 1] - at[points.length - known.length];
    const perSecond = (known.at(-1)! - known[0]!) / span / MIB;
    assert.ok(perSecond > 2 && perSecond < 8, `it grew by ${perSecond} MiB a second`);
    assert.ok(own[0].change_bytes > 30 * MIB, 'what was not there before the leak counts as grown');
  }, 180_000);
  const { series } = await ask(url, 'history', 'history?of=group:api');
  assert.deepEqual(series.map(({ key }: { key: string }) => key).sort(), ['api/leak', 'api/private']);
  const { events } = await ask(url, 'events', 'events');
  assert.equal(events[0].kind, 'exporter_start');
  assert.ok(
    events.some(({ kind, subgroup }: { kind: string; subgroup: string }) => kind === 'start' && subgroup === 'leak'),
  );
});

test('the numbers are those of the metrics of the same collection, and asking collects nothing', async (t) => {
  if (!need(t, 'cc')) return;
  const { pid } = await startChildren(t, 'private', 12);
  const exporter = await startExporter(t, { args: ['--interval', '10m', '--cache-ttl', '10m', '--process-kinds'] });
  const { url } = exporter;
  await eventually(async () => assert.equal((await ask(url, 'groups', 'groups')).snapshot, 2));
  const page = await exporter.scrape();
  const { groups } = await ask(url, 'groups', 'groups');
  assert.ok(groups.length > 1);
  for (const { group, subgroup, kinds, ...row } of groups) {
    const labels = { group, subgroup };
    for (const value of ['footprint', 'rss', 'pss', 'uss', 'swap'])
      assert.equal(
        row[`${value}_bytes`],
        metric(page, `herakles_mem_group_${value}_bytes`, labels),
        `${value} of ${subgroup}`,
      );
    for (const [kind, bytes] of Object.entries(kinds))
      assert.equal(bytes, metric(page, 'herakles_mem_group_kind_bytes', { ...labels, kind }), kind);
  }
  const { processes, total } = await ask(url, 'processes', 'processes?limit=10000');
  assert.equal(processes.length, total);
  for (const { pid, rss_bytes, pss_bytes, uss_bytes } of processes) {
    const value = (name: string) => metric(page, `herakles_mem_process_${name}_bytes`, { pid });
    assert.deepEqual([rss_bytes, pss_bytes, uss_bytes], [value('rss'), value('pss'), value('uss')], `process ${pid}`);
  }
  const { process, explanation } = await ask(url, 'process', `processes/${pid}`);
  assert.ok(process.footprint_bytes >= process.pss_bytes && process.parts.anonymous > 12 * MIB);
  assert.equal(process.parts.anonymous, metric(page, 'herakles_mem_process_kind_bytes', { pid, kind: 'anonymous' }));
  assert.equal(explanation.smaps.mode, 'bounded');
  const { memory, snapshot } = await ask(url, 'host', 'host');
  for (const [kind, bytes] of Object.entries(memory.kinds))
    assert.equal(bytes, metric(page, 'herakles_mem_system_kind_bytes', { kind }), kind);
  assert.equal(snapshot, 2, 'no answer has begun a collection');
});

test('what a client has already is not sent again, and what is sent is small', async (t) => {
  const { url } = await startExporter(t, { args: ['--interval', '10m'] });
  await eventually(async () => assert.equal((await ask(url, 'groups', 'groups')).snapshot, 2));
  for (const path of ['host', 'groups', 'processes', 'history?of=groups', 'events', 'rules']) {
    const first = await fetch(`${url}/api/v1/${path}`, { headers: { 'accept-encoding': 'gzip' } });
    assert.equal(first.headers.get('content-encoding'), 'gzip');
    const document = await first.json();
    const again = await fetch(`${url}/api/v1/${path}`, { headers: { 'if-none-match': first.headers.get('etag')! } });
    assert.deepEqual([again.status, await again.text(), again.headers.get('content-length')], [304, '', null], path);
    assert.ok(document);
  }
  const { body } = await sendRequest(`${url}/api/v1/rules`);
  const zipped = await sendRequest(`${url}/api/v1/rules`, { headers: { 'accept-encoding': 'gzip' } });
  const sent = Number(zipped.headers['content-length']);
  assert.ok(sent * 5 < body.length, `${sent} bytes of ${body.length}`);
});

test('a password is asked for, and other host names and sites are refused, as everywhere', async (t) => {
  const server = await serve(t, `basic_auth_users:\n  ops: ${hashSync('secret', 4)}\n`, []);
  await eventually(async () =>
    assert.equal((await sendRequest(`${server.url}/-/ready`, { auth: 'ops:secret' })).status, 200),
  );
  for (const path of ['', 'host', 'processes/1', 'history?of=host'])
    assert.equal((await sendRequest(`${server.url}/api/v1/${path}`)).status, 401, path);
  assert.equal((await sendRequest(`${server.url}/api/v1/host`, { auth: 'ops:secret' })).status, 200);
  const elsewhere = { auth: 'ops:secret', headers: { host: 'evil.example' } };
  assert.equal((await sendRequest(`${server.url}/api/v1/host`, elsewhere)).status, 403);
  assert.equal((await sendRequest(`${server.url}/api/v1/host`, { auth: 'ops:secret', method: 'POST' })).status, 405);
});

test('hostile names stay text in JSON, and no command line is anywhere', async (t) => {
  if (!need(t, 'cc')) return;
  const names = [
    Buffer.from('<img src=x oner'),
    Buffer.from('a\u202eb\u001b[2J"\\'),
    Buffer.from([0xff, 0xfe, 0x80, 0x22, 0x0a]),
  ];
  for (const name of names) await startChildren(t, 'name', hex(name), 1, '--password=hunter2');
  const dir = scratch();
  writeFileSync(
    `${dir}/rules.toml`,
    `[[rule]]\ngroup = ${JSON.stringify('<script>"\u202e')}\nsubgroup = "a/b"\ncomm = "<img*"\n`,
  );
  const { url } = await startExporter(t, { args: ['--interval', '1s', '--subgroups', `${dir}/rules.toml`] });
  const { processes } = await ask(url, 'processes', 'processes?limit=10000');
  const found = processes.map(({ name }: { name: string }) => name);
  assert.ok(found.includes(names[0]!.toString()) && found.includes(names[1]!.toString()), found.join());
  const own = processes.find(({ name }: { name: string }) => name === names[0]!.toString());
  assert.equal(own.subgroup, 'a/b');
  for (const [name, path] of [
    ['processes', 'processes?limit=10000'],
    ['process', `processes/${own.pid}`],
    ['groups', 'groups'],
    ['history', `history?of=${encodeURIComponent('subgroup:<script>"\u202e/a/b')}`],
    ['rules', 'rules'],
  ] as const) {
    await ask(url, name, path);
    const { body, headers } = await sendRequest(`${url}/api/v1/${path}`);
    assert.match(body, /^[^\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]*$/, path);
    assert.doesNotMatch(body, /hunter2|--password/, path);
    assert.equal(headers['content-type'], 'application/json; charset=utf-8');
    assert.equal(headers['x-content-type-options'], 'nosniff');
  }
});
