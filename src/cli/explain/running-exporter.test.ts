// Any program may answer at the address of an exporter: explain makes a sentence of it, within the timeout. Real exporters
// answer in test/explain.e2e.ts.
import assert from 'node:assert/strict';
import { createServer, type Server, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { defaults } from '../../config/options.ts';
import { escapeForTerminal } from '../../text/hostile.ts';
import { footprintLines } from './footprint-lines.ts';
import { askExporter } from './running-exporter.ts';

const config = { ...defaults, scrape_timeout: 0.1 };
const local = { pid: 7, startTime: 1000, age: 60, group: 'web', subgroup: 'nginx' };

/** Asks a server that says this on every connection. Gives the lines that explain prints. */
async function lines(t: TestContext, say: (socket: Socket) => void): Promise<string> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket.on('error', () => {}));
    say(socket);
  });
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const url = await listening(server);
  return footprintLines(await askExporter(config, local.pid, url), local).join('\n');
}

const listening = (server: Server): Promise<string> =>
  new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${(server.address() as { port: number }).port}`));
  });

const reply =
  (body: string, status = '200 OK') =>
  (socket: Socket) =>
    void socket.once('data', () => socket.end(`HTTP/1.1 ${status}\r\ncontent-length: ${body.length}\r\n\r\n${body}`));

const smaps = {
  ...{ mode: 'bounded', state: 'unchanged', source: 'estimated', age_seconds: 42, predicted_seconds: 0.0004 },
  ...{ over_max_read: false, max_read_seconds: 0.25, max_age_seconds: 300, next_turn_seconds: 250 },
  ...{ moved_bytes: 4096, moved_by_relatives_bytes: 8192, worth_bytes: 32768 },
};
const complete = { pid: 7, start_time_seconds: 1000.4, series: true, collection_age_seconds: 3, smaps };
const explanation = (changes: object = {}) => reply(JSON.stringify({ ...complete, ...changes }));

// biome-ignore format: one line a case
const answers: [what: string, say: (socket: Socket) => void, expected: RegExp][] = [
  ['an exporter', explanation(), /3 s after its last collection:\n {2}read {6}42 s ago\n/],
  ['what moved', explanation(), /why {7}not read: up to 4\.0 KiB of its own memory and 8\.0 KiB that it shares may have changed since, and a read is due from 32\.0 KiB on; because of its age it is due again in 4 min/],
  ['nothing changed', explanation({ smaps: { ...smaps, moved_bytes: 0, moved_by_relatives_bytes: 0 } }), /not read: its memory has not changed since; because/],
  ['a due process', explanation({ smaps: { ...smaps, next_turn_seconds: 0 } }), /it is due again at the next collection/],
  ['others answered for it', explanation({ smaps: { ...smaps, state: 'confirmed', moved_bytes: 0, moved_by_relatives_bytes: 0, confirmed_age_seconds: 60 } }), /not read: its memory has not changed since; other idle processes of its executable were read in its place, which confirmed it 60 s ago; because of its age it is due again in 4 min/],
  ['a process without series', explanation({ series: false }), /exported {2}estimated: .*; it has no series of its own/],
  ['memory that is counted with a parent', explanation({ counted_with_pid: 5 }), /exported {2}no memory of its own: it uses the address space of its parent, process 5, which has all of it\n/],
  ['another group', explanation({ group: 'x', subgroup: 'y', rule: 'z' }), /group {5}x\/y \(z\) in the exporter: the exporter has other rules than those read here/],
  ['the same group', explanation({ group: 'web', subgroup: 'nginx' }), /changed since(?!.*\n {2}group)/s],
  ['a process that began at another time', explanation({ start_time_seconds: 990 }), /knows another process 7: the kernel has given the pid to a new process/],
  ['a young process not seen', reply('{"collection_age_seconds":60}', '404 X'), /has not seen process 7 yet: it began after the last collection, 60 s ago/],
  ['an old process not seen', reply('{"collection_age_seconds":2}', '404 X'), /although the process began 60 s ago: the exporter is on another host or in another pid namespace/],
  ['a state of the future', explanation({ smaps: { ...smaps, state: 'new\u001b[2J' } }), /why {7}not read: new\\x1b\[2J/],
  ['another process', explanation({ pid: 8 }), /is not an exporter of this version/],
  ['less than all', explanation({ smaps: {} }), /is not an exporter of this version/],
  ['no object', reply('[null]'), /is not an exporter of this version/],
  ['a page', reply('<html>'), /is not an exporter of this version/],
  ['an older exporter', reply('not found; see / for what there is\n', '404 Not Found'), /is not an exporter of this version/],
  ['refusal', reply('no collection\u001b[2J has\nsecond', '503 X'), /it answered with status 503: no collection\\x1b\[2J has$/],
  ['no HTTP', (socket) => socket.end('SSH-2.0-x\r\n'), /it did not answer \(HPE_\w+\); perhaps it speaks TLS/],
  ['nothing', (socket) => socket.end(), /it did not answer \(ECONNRESET\)/],
  ['silence', () => {}, /no answer within 2\.1 s/],
  ['half an answer', (socket) => void socket.write('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{'), /no answer within 2\.1 s/],
  ['without an end', (socket) => void socket.write(`HTTP/1.1 200 OK\r\n\r\n${'x'.repeat(70_000)}`), /its answer is too long to come from this exporter/],
];
for (const [what, say, expected] of answers)
  test(`the answer becomes a sentence: ${what}`, async (t) => assert.match(await lines(t, say), expected));

test('any answer of the right form becomes harmless lines', async (t) => {
  let body = '';
  const server = createServer((socket) => reply(body)(socket.on('error', () => {})));
  t.after(() => server.close());
  const url = await listening(server);
  const odd = fc.oneof(fc.jsonValue(), fc.constantFrom('constructor', '\u001b[2J', 1e308, -1, 'read', 'first'));
  const keys = ['group', 'subgroup', 'rule', 'series', 'pss_bytes', 'uss_bytes', 'name', 'counted_with_pid'];
  const answer = fc.tuple(
    fc.dictionary(fc.constantFrom(...keys), odd),
    fc.dictionary(fc.constantFrom(...Object.keys(smaps), 'need', 'failure'), odd),
  );
  await fc.assert(
    fc.asyncProperty(answer, async ([changes, changed]) => {
      body = Buffer.from(JSON.stringify({ ...complete, ...changes, smaps: { ...smaps, ...changed } })).toString(
        'latin1',
      );
      for (const line of footprintLines(await askExporter(config, local.pid, url), local))
        assert.equal(escapeForTerminal(line), line);
    }),
    { numRuns: 200 },
  );
});

test('the address is the configured one, or that of --url, and is never shown with its credentials', async () => {
  const from = async (changes: Partial<typeof config>, url?: string): Promise<string> => {
    return (await askExporter({ ...config, ...changes }, 7, url)).address;
  };
  const [port, closed] = [1, { port: 1 }]; // tcpmux: no program listens there
  assert.equal(await from(closed), 'http://localhost:1');
  assert.equal(await from({ ...closed, bind: '::1' }), 'http://[::1]:1');
  assert.equal(await from({ ...closed, bind: '0.0.0.0' }), 'http://localhost:1');
  assert.equal(await from({ ...closed, web_systemd_socket: true }), 'http://localhost:1');
  assert.equal(await from({ web_listen_address: ['127.0.0.1:1', 'unix:/none'] }), 'http://127.0.0.1:1, unix:/none');
  assert.equal(await from({}, `http://u:p@127.0.0.1:${port}/proxy/metrics?x#y`), 'http://127.0.0.1:1/proxy');
  assert.equal(await from({}, 'https://%zz:%@127.0.0.1:1'), 'https://127.0.0.1:1');
  const wrong = await askExporter({ ...config, web_config_file: '/none.yml' }, 7, undefined);
  assert.ok('error' in wrong && /none\.yml: no such file/.test(wrong.error));
});
