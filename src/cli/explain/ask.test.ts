// Whatever answers at an exporter's address, explain gets a sentence out of it, soon. Real exporters answer in
// test/explain.e2e.ts.
import assert from 'node:assert/strict';
import { createServer, type Server, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { defaults } from '../../config/options.ts';
import { escapeForTerminal } from '../../text/hostile.ts';
import { type Asked, askExporter } from './ask.ts';
import { sampleLines } from './sample.ts';

const config = { ...defaults, scrape_timeout: 0.1 };
const own = { pid: 7, startTime: 1000, age: 60, group: 'web', subgroup: 'nginx' };

/** Asks a server that says this to whoever connects; gives what explain prints of it. */
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
  return sampleLines(await askExporter(config, own.pid, url), own).join('\n');
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
const whole = { pid: 7, start_time_seconds: 1000.4, series: true, collection_age_seconds: 3, smaps };
const told = (changes: object = {}) => reply(JSON.stringify({ ...whole, ...changes }));

// biome-ignore format: one line a case
const answers: [what: string, say: (socket: Socket) => void, expected: RegExp][] = [
  ['an exporter', told(), /3 s after its last collection:\n {2}sample {4}42 s old\n/],
  ['what moved', told(), /why {7}not read: since the sample 4\.0 KiB moved and 8\.0 KiB by relatives, and 32\.0 KiB are worth a read; by age its turn comes in 4 min/],
  ['a process without series', told({ series: false }), /exported {2}estimated: .*; it has no series of its own/],
  ['another group', told({ group: 'x', subgroup: 'y', rule: 'z' }), /group {5}x\/y \(z\) there: its rules are not those read here/],
  ['the same group', told({ group: 'web', subgroup: 'nginx' }), /moved(?!.*\n {2}group)/s],
  ['a process that began at another time', told({ start_time_seconds: 990 }), /knows another process 7: the pid was given again/],
  ['a young process not seen', reply('{"collection_age_seconds":60}', '404 X'), /has not seen process 7 yet: it appeared after the last collection, 60 s ago/],
  ['an old process not seen', reply('{"collection_age_seconds":2}', '404 X'), /though it began 60 s ago: it looks at another host or pid namespace/],
  ['a state of the future', told({ smaps: { ...smaps, state: 'new\u001b[2J' } }), /why {7}not read: new\\x1b\[2J/],
  ['another process', told({ pid: 8 }), /no exporter of this version/],
  ['less than all', told({ smaps: {} }), /no exporter of this version/],
  ['no object', reply('[null]'), /no exporter of this version/],
  ['a page', reply('<html>'), /no exporter of this version/],
  ['an older exporter', reply('not found; see / for what there is\n', '404 Not Found'), /no exporter of this version/],
  ['refusal', reply('no collection\u001b[2J has\nsecond', '503 X'), /it answered with status 503: no collection\\x1b\[2J has$/],
  ['no HTTP', (socket) => socket.end('SSH-2.0-x\r\n'), /it did not answer \(HPE_\w+\); it may speak TLS/],
  ['nothing', (socket) => socket.end(), /it did not answer \(ECONNRESET\)/],
  ['silence', () => {}, /no answer within 2\.1 s/],
  ['half an answer', (socket) => void socket.write('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{'), /no answer within 2\.1 s/],
  ['without an end', (socket) => void socket.write(`HTTP/1.1 200 OK\r\n\r\n${'x'.repeat(70_000)}`), /is no answer of this exporter/],
];
for (const [what, say, expected] of answers)
  test(`${what} is told in words`, async (t) => assert.match(await lines(t, say), expected));

test('whatever is answered in the form of an answer is told in harmless words', async (t) => {
  let body = '';
  const server = createServer((socket) => reply(body)(socket.on('error', () => {})));
  t.after(() => server.close());
  const url = await listening(server);
  const odd = fc.oneof(fc.jsonValue(), fc.constantFrom('constructor', '\u001b[2J', 1e308, -1, 'read', 'first'));
  const keys = ['group', 'subgroup', 'rule', 'series', 'pss_bytes', 'uss_bytes', 'name'];
  const answer = fc.tuple(
    fc.dictionary(fc.constantFrom(...keys), odd),
    fc.dictionary(fc.constantFrom(...Object.keys(smaps), 'need', 'failure'), odd),
  );
  await fc.assert(
    fc.asyncProperty(answer, async ([changes, changed]) => {
      body = Buffer.from(JSON.stringify({ ...whole, ...changes, smaps: { ...smaps, ...changed } })).toString('latin1');
      for (const line of sampleLines(await askExporter(config, own.pid, url), own))
        assert.equal(escapeForTerminal(line), line);
    }),
    { numRuns: 200 },
  );
});

test('where to ask: as configured, else as given; never with what stands before the @', async () => {
  const from = async (changes: Partial<typeof config>, url?: string): Promise<string> => {
    const asked: Asked = await askExporter({ ...config, ...changes }, 7, url);
    return asked.from;
  };
  const [port, closed] = [1, { port: 1 }]; // tcpmux: nobody listens there
  assert.equal(await from(closed), 'http://localhost:1');
  assert.equal(await from({ ...closed, bind: '::1' }), 'http://[::1]:1');
  assert.equal(await from({ ...closed, bind: '0.0.0.0' }), 'http://localhost:1');
  assert.equal(await from({ ...closed, web_systemd_socket: true }), 'http://localhost:1');
  assert.equal(await from({ web_listen_address: ['127.0.0.1:1', 'unix:/none'] }), 'http://127.0.0.1:1, unix:/none');
  assert.equal(await from({}, `http://u:p@127.0.0.1:${port}/proxy/metrics?x#y`), 'http://127.0.0.1:1/proxy');
  assert.equal(await from({}, 'https://%zz:%@127.0.0.1:1'), 'https://127.0.0.1:1');
  const wrong = await askExporter({ ...config, web_config_file: '/none.yml' }, 7, undefined);
  assert.ok('why' in wrong && /none\.yml: no such file/.test(wrong.why));
});
