// Sends responses, and bounds the memory that clients hold by not reading them. A response is written as fast as its client
// reads, in pieces of 64 KiB; what is not written yet refers to the page, which all its readers share. So a client that
// does not read holds one page in memory, and many such clients can hold a page of every snapshot.
//
// All responses together may hold HELD_MAX_BYTES, or two pages where a page is larger than that. Above it, the client that
// holds most loses its connection, first the one on which its oldest response is sent. The newest page of each kind does
// not count, because it is in memory anyway. Example: pages of 10 MB, a new one every 5 s. A client that reads none of
// them holds 20 MB after three pages; at the third, the connection that holds the first page ends.
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { networkOf } from './client-network.ts';

/** The part of a body that several responses share, as one object for each content. */
export interface SharedPage {
  readonly bytes: number;
}

interface Unread {
  readonly socket: Socket;
  readonly client: string;
  /** Which of the pages it is; the newest page of each kind does not count. */
  readonly kind: string;
  readonly page: SharedPage;
  /** Bytes that no other response shares. */
  readonly ownBytes: number;
}

const HELD_MAX_BYTES = 16 << 20;
/** Bytes that are written at once. Over TLS, each connection holds them in encrypted form. */
const WRITE_BYTES = 64 << 10;

export class UnreadResponses {
  /** Responses that are being sent, the oldest first. */
  readonly #unread = new Set<Unread>();
  readonly #newest = new Map<string, SharedPage>();

  /**
   * Sends a body and ends the response. Resolves when it is sent, or the connection has ended.
   * @param kind of the page: path, type and encoding
   * @param page what the body shares with other responses; undefined: nothing
   * @param timeoutMs longest time for all of it; then the connection ends
   */
  async send(
    socket: Socket,
    response: ServerResponse,
    kind: string,
    pieces: readonly Buffer[],
    page: SharedPage = { bytes: 0 },
    timeoutMs = 30_000,
  ): Promise<void> {
    const bytes = pieces.reduce((sum, piece) => sum + piece.length, 0);
    const unread: Unread = { socket, client: networkOf(socket), kind, page, ownBytes: bytes - page.bytes };
    this.#add(unread);
    const slow = setTimeout(() => socket.destroy(), timeoutMs).unref();
    try {
      for (const piece of pieces)
        for (let from = 0; from < piece.length; from += WRITE_BYTES)
          if (!response.write(piece.subarray(from, from + WRITE_BYTES)) && !(await drained(socket, response))) return;
      response.end();
      if (!response.writableFinished && !socket.destroyed) await first(socket, response, 'finish');
    } finally {
      clearTimeout(slow);
      this.#unread.delete(unread);
    }
  }

  #add(unread: Unread): void {
    this.#unread.add(unread);
    if (unread.page.bytes > 0) this.#newest.set(unread.kind, unread.page);
    const largest = Math.max(0, ...[...this.#newest.values()].map(({ bytes }) => bytes));
    const allowed = Math.max(HELD_MAX_BYTES, 2 * largest);
    for (let held = this.#held(); held.bytes > allowed; held = this.#held()) {
      const victim = [...this.#unread].find((one) => one.client === held.client && this.#holds(one))!;
      this.#unread.delete(victim);
      victim.socket.destroy();
    }
  }

  /** Whether it holds memory that would be free without its readers. */
  #holds({ ownBytes, page, kind }: Unread): boolean {
    return ownBytes > 0 || (page.bytes > 0 && page !== this.#newest.get(kind));
  }

  /** Bytes that all responses hold, and the client that holds most; of equals the one whose response is the oldest. */
  #held(): { bytes: number; client: string } {
    const pages = new Set<SharedPage>();
    const clients = new Map<string, { bytes: number; pages: Set<SharedPage> }>();
    let bytes = 0;
    for (const { client, ownBytes, page, kind } of this.#unread) {
      const of = clients.get(client) ?? { bytes: 0, pages: new Set() };
      clients.set(client, of);
      const pageBytes = page === this.#newest.get(kind) ? 0 : page.bytes;
      bytes += ownBytes + (pages.has(page) ? 0 : pageBytes);
      of.bytes += ownBytes + (of.pages.has(page) ? 0 : pageBytes);
      pages.add(page);
      of.pages.add(page);
    }
    let most = { client: '', bytes: 0 };
    for (const [client, of] of clients) if (of.bytes > most.bytes) most = { client, bytes: of.bytes };
    return { bytes, client: most.client };
  }
}

/** Waits until more may be written. Returns false where the connection has ended. */
async function drained(socket: Socket, response: ServerResponse): Promise<boolean> {
  if (!socket.destroyed) await first(socket, response, 'drain');
  return !socket.destroyed;
}

/** Waits for an event of the response, or for the end of its connection. */
function first(socket: Socket, response: ServerResponse, event: 'drain' | 'finish'): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      socket.off('close', done);
      response.off(event, done);
      resolve();
    };
    socket.once('close', done);
    response.once(event, done);
  });
}
