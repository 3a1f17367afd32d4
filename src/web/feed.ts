// Asks the exporter for the documents that are on the page, again and again, as long as somebody can see it. What has not
// changed since the last answer costs a few bytes (ETag). The time between two rounds follows from the bytes of the last
// one, so an open page never takes more than BYTES_PER_SECOND_MAX, however large the host is.
import { useEffect, useState } from 'preact/hooks';

const ROUND_EVERY_SECONDS = 5;
/** Less than 200 kB a minute, with room for the head of each answer. */
const BYTES_PER_SECOND_MAX = 2500;
/** About what the heads of request and answer take. */
const HEAD_BYTES = 700;
const ROUND_MAX_SECONDS = 300;
/** An exporter that has not answered by then is not waited for any longer. */
const ANSWER_MAX_SECONDS = 20;

/** A document that is asked for again and again. */
export interface Source<T> {
  /** Path below api/v1/ for the next request. */
  address(): string;
  /** What the answer means for the page. */
  merge(answer: unknown): T;
  /** Least time between two requests, seconds. */
  readonly every: number;
}

export interface Latest<T> {
  readonly value?: T;
  /** Why there is no newer value. */
  readonly fault?: string;
}

/** What the feed needs of a subscription, whatever it is to. */
interface Asked {
  readonly source: { readonly every: number };
  readonly askedAt: number;
  ask(): Promise<number>;
}

class Subscription<T> implements Asked {
  readonly source: Source<T>;
  readonly notify: (answer: Latest<T>) => void;
  answer: Latest<T> = {};
  tag = '';
  tagged = '';
  askedAt = Number.NEGATIVE_INFINITY;

  constructor(source: Source<T>, notify: (answer: Latest<T>) => void) {
    this.source = source;
    this.notify = notify;
  }

  /** @returns bytes that it took */
  async ask(): Promise<number> {
    this.askedAt = performance.now() / 1000;
    const address = this.source.address();
    const headers: Record<string, string> = { accept: 'application/json' };
    if (this.tag !== '' && this.tagged === address) headers['if-none-match'] = this.tag;
    try {
      const response = await fetch(`./api/v1/${address}`, {
        headers,
        cache: 'no-store',
        signal: AbortSignal.timeout(ANSWER_MAX_SECONDS * 1000),
      });
      const bytes = HEAD_BYTES + Number(response.headers.get('content-length') ?? 0);
      if (response.status === 304) this.#set({ value: this.answer.value! });
      else if (response.ok) {
        this.tag = response.headers.get('etag') ?? '';
        this.tagged = address;
        this.#set({ value: this.source.merge(await response.json()) });
      } else this.#fail((await response.text()).trim());
      return bytes;
    } catch {
      this.#fail('The exporter does not answer.');
      return HEAD_BYTES;
    }
  }

  #fail(fault: string): void {
    this.#set({ ...this.answer, fault: faultOf(fault) });
  }

  #set(answer: Latest<T>): void {
    const same = answer.value === this.answer.value && answer.fault === this.answer.fault;
    this.answer = answer;
    if (!same) this.notify(answer);
  }
}

/** The reason in a JSON document {error}, or the text itself. */
function faultOf(text: string): string {
  try {
    return String(JSON.parse(text).error ?? text);
  } catch {
    return text;
  }
}

class Feed {
  readonly #subscriptions = new Set<Asked>();
  #timer = 0;
  #running = false;

  constructor() {
    document.addEventListener('visibilitychange', () => this.#wake());
  }

  subscribe<T>(source: Source<T>, notify: (answer: Latest<T>) => void): () => void {
    const subscription = new Subscription(source, notify);
    this.#subscriptions.add(subscription);
    this.#wake();
    return () => {
      this.#subscriptions.delete(subscription);
    };
  }

  #wake(): void {
    clearTimeout(this.#timer);
    if (!this.#running && !document.hidden) this.#timer = window.setTimeout(() => this.#round(), 0);
  }

  async #round(): Promise<void> {
    this.#running = true;
    const began = performance.now() / 1000;
    let bytes = 0;
    for (let due = this.#due(began); due.length > 0; due = this.#due(began).filter((one) => one.askedAt < began))
      bytes += (await Promise.all(due.map((one) => one.ask()))).reduce((sum, each) => sum + each, 0);
    this.#running = false;
    const wait = Math.min(ROUND_MAX_SECONDS, Math.max(ROUND_EVERY_SECONDS, bytes / BYTES_PER_SECOND_MAX));
    if (!document.hidden) this.#timer = window.setTimeout(() => this.#round(), wait * 1000);
  }

  #due(now: number): Asked[] {
    return [...this.#subscriptions].filter(({ askedAt, source }) => now - askedAt >= source.every - 0.5);
  }
}

let feed: Feed | undefined;

/** The newest answer of a source; a component that shows it asks for it. @param key the same key is the same source */
export function useSource<T>(key: string, make: () => Source<T>): Latest<T> {
  const [state, setState] = useState<{ key: string; answer: Latest<T> }>({ key, answer: {} });
  useEffect(() => {
    if (key === NOTHING) return undefined;
    feed ??= new Feed();
    return feed.subscribe(make(), (answer) => setState({ key, answer }));
  }, [key]);
  return state.key === key ? state.answer : {};
}

/** Key of a source that is not asked for. */
export const NOTHING = '';

/** A document as the exporter answers it. @param address below api/v1/, or NOTHING */
export const useDocument = <T>(address: string): Latest<T> =>
  useSource<T>(address, () => ({ address: () => address, merge: (answer) => answer as T, every: 0 }));
