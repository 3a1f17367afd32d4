// Sends responses, and bounds the memory that clients hold by not reading them. A response is written as fast as its client
// reads, in pieces of 64 KiB; what is not written yet refers to the page, which all its readers share. So a client that
// does not read holds one page in memory, and many such clients can hold a page of every snapshot. A page of the metrics has
// a part for each collector, and a response some of the parts.
//
// All responses together may hold HELD_MAX_BYTES, or two pages where a page is larger than that. Above it, the client that
// holds most loses its connection, first the one on which its oldest response is sent. The newest page of each kind, in
// all its parts, does not count, because it is in memory anyway. Example: pages of 10 MB, a new one every 5 s. A client that reads none of
// them holds 20 MB after three pages; at the third, the connection that holds the first page ends.
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { networkOf } from './client-network.ts';

/** A part of a body that several responses share, as one object for each content. */
export interface SharedPart {
  /** Which part of its page it is; '' where the page has one. */
  readonly name: string;
  readonly bytes: number;
}

interface Unread {
  readonly socket: Socket;
  readonly client: string;
  /** Which of the pages it is; the newest page of each kind does not count. */
  readonly kind: string;
  readonly shared: readonly SharedPart[];
  /** Bytes that no other response shares. */
  readonly ownBytes: number;
}

const HELD_MAX_BYTES = 16 << 20;
/** Bytes that are written at once. Over TLS, each connection holds them in encrypted form. */
const WRITE_BYTES = 64 << 10;

export class UnreadResponses {
  /** Responses that are being sent, the oldest first. */
  readonly #unread = new Set<Unread>();
  /** By kind, then by name: the newest parts that are being sent. */
  readonly #newest = new Map<string, Map<string, SharedPart>>();

  /**
   * Sends a body and ends the response. Resolves when it is sent, or the connection has ended.
   * @param kind of the page: path, type and encoding
   * @param shared what the body shares with other responses
   * @param timeoutMs longest time for all of it; then the connection ends
   */
  async send(
    socket: Socket,
    response: ServerResponse,
    kind: string,
    pieces: readonly Buffer[],
    shared: readonly SharedPart[] = [],
    timeoutMs = 30_000,
  ): Promise<void> {
    const bytes = pieces.reduce((sum, piece) => sum + piece.length, 0);
    const unread: Unread = { socket, client: networkOf(socket), kind, shared, ownBytes: bytes - bytesOf(shared) };
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
      this.#forget(unread);
    }
  }

  /** What is sent to nobody any more is not held here: its collector may be switched off, and no newer part follows. */
  #forget({ kind, shared }: Unread): void {
    const newest = this.#newest.get(kind)!;
    const isSent = (part: SharedPart) => [...this.#unread].some((other) => other.shared.includes(part));
    for (const part of shared) if (newest.get(part.name) === part && !isSent(part)) newest.delete(part.name);
  }

  #add(unread: Unread): void {
    this.#unread.add(unread);
    const newest = this.#newest.get(unread.kind) ?? new Map<string, SharedPart>();
    this.#newest.set(unread.kind, newest);
    for (const part of unread.shared) newest.set(part.name, part);
    const largest = Math.max(0, ...[...this.#newest.values()].map((parts) => bytesOf([...parts.values()])));
    const allowed = Math.max(HELD_MAX_BYTES, 2 * largest);
    for (let held = this.#held(); held.bytes > allowed; held = this.#held()) {
      const victim = [...this.#unread].find((one) => one.client === held.client && this.#holds(one))!;
      this.#unread.delete(victim);
      victim.socket.destroy();
    }
  }

  /** Whether it holds memory that would be free without its readers. */
  #holds(unread: Unread): boolean {
    return unread.ownBytes > 0 || this.#olderParts(unread).length > 0;
  }

  /** The parts of a response that are not the newest of their name. */
  #olderParts({ kind, shared }: Unread): SharedPart[] {
    return shared.filter((part) => part.bytes > 0 && part !== this.#newest.get(kind)?.get(part.name));
  }

  /** Bytes that all responses hold, and the client that holds most; of equals the one whose response is the oldest. */
  #held(): { bytes: number; client: string } {
    const counted = new Set<SharedPart>();
    const clients = new Map<string, { bytes: number; counted: Set<SharedPart> }>();
    let bytes = 0;
    for (const unread of this.#unread) {
      const of = clients.get(unread.client) ?? { bytes: 0, counted: new Set() };
      clients.set(unread.client, of);
      bytes += unread.ownBytes;
      of.bytes += unread.ownBytes;
      for (const part of this.#olderParts(unread)) {
        if (!counted.has(part)) bytes += part.bytes;
        if (!of.counted.has(part)) of.bytes += part.bytes;
        counted.add(part);
        of.counted.add(part);
      }
    }
    let most = { client: '', bytes: 0 };
    for (const [client, of] of clients) if (of.bytes > most.bytes) most = { client, bytes: of.bytes };
    return { bytes, client: most.client };
  }
}

const bytesOf = (parts: readonly SharedPart[]): number => parts.reduce((sum, { bytes }) => sum + bytes, 0);

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
