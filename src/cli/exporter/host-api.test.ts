// Any program may answer at the address of an exporter: only documents that hold to the schema are shown.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { schema } from '../../server/api-v1/schema.ts';
import { AskError } from './endpoints.ts';
import { conforms, HostApi } from './host-api.ts';

const group = {
  group: 'db',
  subgroup: 'postgres',
  declared: false,
  processes: 1,
  threads: 2,
  footprint_bytes: 3,
  kinds: {},
  rss_bytes: 4,
};
const groups = { at: 1, snapshot: 2, groups: [group] };
const history = { of: 'groups', at: [1, 2], series: [{ key: 'db/postgres', footprint_bytes: [1, null] }] };
const event = { at: 1, kind: 'of the future', text: '' };

// biome-ignore format: one line a case
const cases: [what: string, name: 'groups' | 'history' | 'events', document: unknown, right: boolean][] = [
  ['groups', 'groups', groups, true],
  ['no group', 'groups', { ...groups, groups: [] }, true],
  ['fields of a later version', 'groups', { ...groups, more: {}, groups: [{ ...group, more: 1 }] }, true],
  ['a value that is known', 'groups', { ...groups, groups: [{ ...group, pss_bytes: 5 }] }, true],
  ['a number as text', 'groups', { ...groups, groups: [{ ...group, pss_bytes: '5' }] }, false],
  ['null for a number', 'groups', { ...groups, groups: [{ ...group, rss_bytes: null }] }, false],
  ['less than all', 'groups', { at: 1, groups: [] }, false],
  ['no list', 'groups', { ...groups, groups: { length: 1 } }, false],
  ['a list of something else', 'groups', { ...groups, groups: [1] }, false],
  ['a list', 'groups', [], false],
  ['nothing', 'groups', null, false],
  ['a history with moments that are not known', 'history', history, true],
  ['a history of texts', 'history', { ...history, series: [{ key: 'a', footprint_bytes: ['1'] }] }, false],
  ['a kind of event of a later version', 'events', { events: [event] }, true],
];
for (const [what, name, document, right] of cases)
  test(`a document with ${what} ${right ? 'holds' : 'does not hold'} to the schema`, () =>
    assert.equal(conforms(schema[name], document), right));

test('any JSON is judged without an error', () => {
  fc.assert(fc.property(fc.jsonValue(), (value) => assert.equal(typeof conforms(schema.host, value), 'boolean')));
});

test('what has not changed is not read again, and what is wrong is not kept', async () => {
  const answers = [
    { status: 200, body: JSON.stringify(groups), etag: 'W/"1"' },
    { status: 304, body: '', etag: 'W/"1"' },
    { status: 200, body: '{}', etag: 'W/"2"' },
    { status: 404, body: 'gone', etag: '' },
  ];
  const known: (string | undefined)[] = [];
  const api = new HostApi({
    get: async (question) => {
      known.push(question.known);
      return answers.shift()!;
    },
    complaint: ({ status }) => `status ${status}`,
  });
  const first = await api.ask('groups', 'groups');
  assert.equal(await api.ask('groups', 'groups'), first);
  await assert.rejects(api.ask('groups', 'groups'), AskError);
  assert.equal(await api.ask('process', 'processes/7'), undefined);
  assert.deepEqual(known, ['', 'W/"1"', 'W/"1"', '']);
});
