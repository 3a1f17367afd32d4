// Answers a request to the API from the newest snapshot: status, ETag, body. It never begins a collection, but counts as a reader. Clients that ask
// for the same are answered with the same bytes for as long as the snapshot is the newest; a client that has them already gets
// a 304. A document may be large, so it is written in slices, and compressed beside the event loop.
import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { gzip as compress } from 'node:zlib';
import type { Agent } from '../../agent/agent.ts';
import type { Snapshot } from '../../agent/sampler.ts';
import { inSlices } from '../../agent/time-slices.ts';
import { escapedJson } from '../../text/hostile.ts';
import { acceptsGzip } from '../negotiation.ts';
import { JSON_TYPE, type RouteResponse, retryLater, textResponse } from '../responses.ts';
import { SnapshotCache } from '../snapshot-cache.ts';
import { type DocumentName, documents } from './documents.ts';
import { eventsDocument } from './events.ts';
import { groupsDocument } from './groups.ts';
import { historyDocument } from './history.ts';
import { hostDocument } from './host.ts';
import { processDocument } from './process.ts';
import { processesDocument } from './processes.ts';
import { ApiFault, ApiQuery } from './query.ts';
import { rulesDocument } from './rules.ts';
import type { DocumentOf } from './schema.ts';

export interface ApiRequest {
  readonly agent: Agent;
  readonly snapshot: Snapshot;
  readonly query: ApiQuery;
  /** The part of the path where the document has a name in angle brackets. */
  readonly value: string;
}

const makers: { readonly [N in DocumentName]: (request: ApiRequest) => DocumentOf<N> | Promise<DocumentOf<N>> } = {
  host: hostDocument,
  groups: groupsDocument,
  processes: processesDocument,
  process: processDocument,
  history: historyDocument,
  events: eventsDocument,
  rules: rulesDocument,
};

/** Documents that say how old the collection is: no other client may get them later. */
const AGING: readonly DocumentName[] = ['host', 'process'];
/** Answers of one snapshot that are kept, and the bytes of the largest of them: 10,000 processes, compressed, have less. */
const KEPT_MAX = 16;
const KEPT_MAX_BYTES = 512 << 10;
/** Items of a list that are written together. */
const ITEMS_PER_STEP = 64;

const kept = new SnapshotCache<Buffer>(KEPT_MAX, ({ length }) => length <= KEPT_MAX_BYTES);
/** The answer that was begun last: one is made after the other, so that many large ones leave time for scrapes. */
let making: Promise<unknown> = Promise.resolve();
const zip = promisify(compress);

export async function answer(name: DocumentName, agent: Agent, request: IncomingMessage): Promise<RouteResponse> {
  const { url = '' } = request;
  const { path } = documents[name];
  try {
    const query = new ApiQuery(documents[name], url);
    const value = path.includes('<') ? valueIn(url, path) : '';
    agent.noteClient();
    if (name === 'process') await agent.settled();
    const { snapshot } = agent;
    if (!snapshot) return retryLater(503, agent.unhealthy ?? 'no collection has succeeded yet');
    const headers = { etag: etagOf(agent, snapshot), vary: 'accept-encoding' };
    if (isKnown(request.headers['if-none-match'], headers.etag))
      return { status: 304, type: JSON_TYPE, body: '', headers };
    const gzip = acceptsGzip(String(request.headers['accept-encoding'] ?? ''));
    const make = async () => bytesOf(await makers[name]({ agent, snapshot, query, value }), gzip);
    const key = `${name} ${query.key} ${gzip} ${headers.etag}`;
    const body = AGING.includes(name) ? await make() : await kept.get(snapshot, key, () => inTurn(snapshot, make));
    const encoded = gzip ? { ...headers, 'content-encoding': 'gzip' } : headers;
    return { status: 200, type: JSON_TYPE, body: [body], headers: encoded };
  } catch (error) {
    if (!(error instanceof ApiFault)) throw error;
    return textResponse(error.status, error.message);
  }
}

/** The part of the path behind that of the document: "4711" of /api/v1/processes/4711?x=1. */
const valueIn = (url: string, path: string): string => {
  const prefix = path.replace(/<.*/, '');
  const plain = url.split('?', 1)[0]!;
  return plain.slice(plain.indexOf(prefix) + prefix.length);
};

/** Weak: two answers with it say the same but for ages. Another start, snapshot or reload gives another one. */
const etagOf = ({ startTime, reloads, unhealthy }: Agent, { serial }: Snapshot): string =>
  `W/"${Math.round(startTime * 1000).toString(36)}-${serial}-${reloads}${unhealthy ? '-unhealthy' : ''}"`;

/** If-None-Match (RFC 9110, 13.1.2): a list of tags, compared weakly, or *. */
const isKnown = (header: string | undefined, etag: string): boolean =>
  (header ?? '')
    .split(',')
    .map((tag) => tag.trim())
    .some((tag) => tag === '*' || tag.replace(/^W\//, '') === etag.slice(2));

/** Makes an answer after those that were begun before. */
function inTurn(snapshot: Snapshot, make: () => Promise<Buffer>): Promise<Buffer> {
  const made = snapshot.view.rows.pinnedFor(() => making.then(make));
  making = made.catch(() => {});
  return made;
}

async function bytesOf(document: object, gzip: boolean): Promise<Buffer> {
  const text = Buffer.concat(await inSlices(written(document)));
  return gzip ? zip(text) : text;
}

/** A document as JSON: a line for each of its keys, and for each item of its lists of objects. */
function* written(document: object): Generator<void, Buffer[], void> {
  const pieces: Buffer[] = [];
  let texts: string[] = [];
  const end = () => {
    pieces.push(Buffer.from(texts.join('')));
    texts = [];
  };
  let before = '{\n';
  for (const [key, value] of Object.entries(document)) {
    if (value === undefined) continue;
    texts.push(before, JSON.stringify(key), ':');
    before = ',\n';
    if (!Array.isArray(value) || typeof value[0] !== 'object') {
      texts.push(escapedJson(value));
      continue;
    }
    for (const [index, item] of value.entries()) {
      texts.push(index === 0 ? '[\n' : ',\n', escapedJson(item));
      if (index % ITEMS_PER_STEP !== ITEMS_PER_STEP - 1) continue;
      end();
      yield;
    }
    texts.push(']');
  }
  texts.push('\n}\n');
  end();
  return pieces;
}
