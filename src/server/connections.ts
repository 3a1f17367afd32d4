// The open connections, and which of them ends when there are too many (eviction). A new connection is never refused: it
// takes the place of another one. A server that refuses (net.Server.maxConnections) is closed to Prometheus by a few
// hundred idle connections; here, no client can keep a scraper out, whether it is idle, slow, or connects all the time.
//
// Order of eviction: first a connection of a client that has more than a quarter of all; then of the client that connects
// most often, where that is more often than a scraper does; among these, and where there is no such client, a connection
// without an admitted request (limits, host, password), then an idle one, then one that is being answered; the one that
// has been in its state for the longest time first. Example, 4 connections allowed: a client with 3 idle
// connections opens another one, and its own oldest one ends; the one connection of Prometheus stays. Another example: a
// thousand clients connect again as soon as their connections end. They end each other's connections, and a scraper
// that connects once keeps its own.
import type { Socket } from 'node:net';
import { networkOf } from './client-network.ts';

/** States of a connection, in the order of eviction: no admitted request yet, between two requests, being answered. */
const NEW = 0;
const IDLE = 1;
const ACTIVE = 2;

/**
 * Requests of one connection that may be unanswered at the same time; one more ends it. Not 1: the next request can
 * arrive before Node reports the end of a response.
 */
const UNANSWERED_MAX = 4;

/** The connections of a client with more than this share of all are the first to end. */
const LARGE_SHARE = 1 / 4;
/** Connections among which such a client is looked for, so that a choice costs the same however many there are. */
const EVICTION_SCAN_MAX = 256;

/** Connections that a client may open within two periods and not be one that connects often. A scraper keeps one open. */
const OFTEN_MIN = 2;
const OFTEN_PERIOD_SECONDS = 10;
/** Clients whose connections are counted at the same time; of more, the count begins again. */
const COUNTED_CLIENTS_MAX = 8192;

/** How many connections each client opened lately: counted in two periods, the current one and the one before. */
class OpenedLately {
  #current = new Map<string, number>();
  #before = new Map<string, number>();
  #began = Number.NEGATIVE_INFINITY;

  /** @param now seconds */
  count(network: string, now: number): void {
    if (now - this.#began > OFTEN_PERIOD_SECONDS || this.#current.size >= COUNTED_CLIENTS_MAX) {
      this.#before = now - this.#began > 2 * OFTEN_PERIOD_SECONDS ? new Map() : this.#current;
      this.#current = new Map();
      this.#began = now;
    }
    this.#current.set(network, (this.#current.get(network) ?? 0) + 1);
  }

  of(network: string): number {
    return (this.#current.get(network) ?? 0) + (this.#before.get(network) ?? 0);
  }
}

interface Connection {
  readonly key: string | Socket;
  readonly socket: Socket;
  readonly client: Client;
  state: number;
  /** Requests that are not answered yet. */
  unanswered: number;
  /** Ends after the response that is being sent. */
  last: boolean;
}

interface Client {
  readonly network: string;
  /** Open connections from this network. */
  connections: number;
}

/** TLS wraps a socket in another one with the same addresses. A Unix socket has no address and is its own key. */
function keyOf(socket: Socket): string | Socket {
  const { remoteAddress, remotePort, localAddress, localPort } = socket;
  return remotePort === undefined ? socket : `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}

export class Connections {
  /** By state; the one that has been in it for the longest time comes first. */
  readonly #byState = [NEW, IDLE, ACTIVE].map(() => new Set<Connection>());
  readonly #byKey = new Map<string | Socket, Connection>();
  readonly #clients = new Map<string, Client>();
  readonly #opened = new OpenedLately();

  get size(): number {
    return this.#byKey.size;
  }

  /** Adds a connection; where there are too many, another one ends. @param connectionsMax at least 1 @param now seconds */
  add(socket: Socket, connectionsMax: number, now: number): void {
    const network = networkOf(socket);
    this.#opened.count(network, now);
    while (this.size >= connectionsMax) this.#destroy(this.#nextToEvict(connectionsMax));
    const client = this.#clients.get(network) ?? { network, connections: 0 };
    this.#clients.set(network, client);
    client.connections++;
    const connection: Connection = { key: keyOf(socket), socket, client, state: NEW, unanswered: 0, last: false };
    this.#byKey.set(connection.key, connection);
    this.#byState[NEW]!.add(connection);
    socket.once('close', () => this.#forget(connection));
  }

  /**
   * A request has arrived. Returns whether to answer it: a client that sends requests without reading the responses is
   * disconnected.
   * @param socket the one that was added, or the TLS socket that wraps it
   */
  requestBegan(socket: Socket): boolean {
    const connection = this.#byKey.get(keyOf(socket));
    if (!connection) return !socket.destroyed;
    connection.unanswered++;
    if (connection.unanswered > UNANSWERED_MAX) {
      this.#destroy(connection);
      return false;
    }
    if (connection.state !== NEW) this.#move(connection, ACTIVE);
    return true;
  }

  /** The request that has arrived has the right password, and is within the limits: it is being answered now. */
  requestAdmitted(socket: Socket): void {
    const connection = this.#byKey.get(keyOf(socket));
    if (connection) this.#move(connection, ACTIVE);
  }

  /** A response has been sent. If it was to be the last one, the connection ends here: its headers may not say so. */
  responseEnded(socket: Socket): void {
    const connection = this.#byKey.get(keyOf(socket));
    if (!connection) return;
    connection.unanswered--;
    if (connection.unanswered > 0) return;
    if (connection.last) connection.socket.destroySoon();
    else this.#move(connection, connection.state === NEW ? NEW : IDLE);
  }

  /** Whether the connection ends after the response that is being sent. */
  endsAfterResponse(socket: Socket): boolean {
    return this.#byKey.get(keyOf(socket))?.last ?? false;
  }

  /** Ends every connection: at once where no request is being answered, else after the response. */
  endIdle(): void {
    for (const connection of [...this.#byKey.values()]) {
      if (connection.unanswered > 0) connection.last = true;
      else this.#destroy(connection);
    }
  }

  /** Ends every connection at once. */
  endAll(): void {
    for (const connection of [...this.#byKey.values()]) this.#destroy(connection);
  }

  /** See the head of this file. */
  #nextToEvict(connectionsMax: number): Connection {
    let first: Connection | undefined;
    let often: Connection | undefined;
    let [scanned, most] = [0, OFTEN_MIN];
    for (const connections of this.#byState) {
      for (const connection of connections) {
        first ??= connection;
        if (connection.client.connections > connectionsMax * LARGE_SHARE) return connection;
        const opened = this.#opened.of(connection.client.network);
        if (opened > most) [often, most] = [connection, opened];
        if (++scanned === EVICTION_SCAN_MAX) return often ?? first;
      }
    }
    return (often ?? first)!;
  }

  #destroy(connection: Connection): void {
    this.#forget(connection);
    connection.socket.destroy();
  }

  #forget(connection: Connection): void {
    if (this.#byKey.get(connection.key) === connection) this.#byKey.delete(connection.key);
    if (!this.#byState[connection.state]!.delete(connection)) return;
    const { client } = connection;
    client.connections--;
    if (client.connections === 0) this.#clients.delete(client.network);
  }

  #move(connection: Connection, state: number): void {
    this.#byState[connection.state]!.delete(connection);
    connection.state = state;
    this.#byState[state]!.add(connection);
  }
}
