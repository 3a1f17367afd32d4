// Who is connected. A full house refuses nobody: the newcomer takes the place of who is least likely to be missed, so
// that neither idle nor slow clients, nor one that connects again and again, keep a scraper out.
import type { Socket } from 'node:net';

/** In the order in which they give way: asked nothing yet, waits between two requests, is being answered. */
const NEW = 0;
const IDLE = 1;
const BUSY = 2;

/** Requests that may come before the first is answered. The next one can overtake the end of an answer. */
const PIPELINED = 4;

/** A client with more than this share of the connections gives way before all others. */
const LARGE_SHARE = 1 / 4;
/** Connections among which it is looked for, so that the choice costs the same in any house. */
const CHOICE = 256;

interface Connection {
  readonly key: string | Socket;
  readonly socket: Socket;
  /** All that come from its address. */
  readonly crowd: Crowd;
  stage: number;
  /** Requests that are not answered yet. */
  asked: number;
  /** Ends after the answer under way. */
  last: boolean;
}

interface Crowd {
  readonly address: string;
  size: number;
}

/** TLS wraps a socket into another one of the same addresses. A Unix socket has none, and stands for itself. */
function keyOf(socket: Socket): string | Socket {
  const { remoteAddress, remotePort, localAddress, localPort } = socket;
  return remotePort === undefined ? socket : `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}

export class Connections {
  /** By stage; in each, who has been in it the longest comes first. */
  readonly #stages = [NEW, IDLE, BUSY].map(() => new Set<Connection>());
  readonly #found = new Map<string | Socket, Connection>();
  readonly #crowds = new Map<string, Crowd>();

  get size(): number {
    return this.#found.size;
  }

  /** Takes in a connection. @param most connections there may be, at least 1; another one gives way */
  add(socket: Socket, most: number): void {
    while (this.size >= most) this.#drop(this.#leastMissed(most));
    const address = socket.remoteAddress ?? '';
    const crowd = this.#crowds.get(address) ?? { address, size: 0 };
    this.#crowds.set(address, crowd);
    crowd.size++;
    const connection: Connection = { key: keyOf(socket), socket, crowd, stage: NEW, asked: 0, last: false };
    this.#found.set(connection.key, connection);
    this.#stages[NEW]!.add(connection);
    socket.once('close', () => this.#forget(connection));
  }

  /**
   * A request has come. Returns whether it is to be answered: who asks on and on without reading is cut off.
   * @param socket the one admitted, or TLS on it
   */
  requestBegan(socket: Socket): boolean {
    const connection = this.#found.get(keyOf(socket));
    if (!connection) return !socket.destroyed;
    connection.asked++;
    if (connection.asked > PIPELINED) {
      this.#drop(connection);
      return false;
    }
    this.#move(connection, BUSY);
    return true;
  }

  /** An answer has been sent. Where it was to be the last, its headers may have said otherwise: they went out before. */
  responseEnded(socket: Socket): void {
    const connection = this.#found.get(keyOf(socket));
    if (!connection) return;
    connection.asked--;
    if (connection.asked > 0) return;
    if (connection.last) connection.socket.destroySoon();
    else this.#move(connection, IDLE);
  }

  /** Whether the connection shall end with the answer under way. */
  endsAfterResponse(socket: Socket): boolean {
    return this.#found.get(keyOf(socket))?.last ?? false;
  }

  /** Ends every connection: those that wait at once, those that are being answered after that. */
  endIdle(): void {
    for (const connection of [...this.#found.values()]) {
      if (connection.stage === BUSY) connection.last = true;
      else this.#drop(connection);
    }
  }

  /** Ends every connection at once. */
  endAll(): void {
    for (const connection of [...this.#found.values()]) this.#drop(connection);
  }

  /** Whoever holds a large share of the house makes room for itself; else, and among those, by stage and time. */
  #leastMissed(most: number): Connection {
    let first: Connection | undefined;
    let choice = CHOICE;
    for (const stage of this.#stages) {
      for (const connection of stage) {
        first ??= connection;
        if (connection.crowd.size > most * LARGE_SHARE) return connection;
        if (--choice === 0) return first;
      }
    }
    return first!;
  }

  #drop(connection: Connection): void {
    this.#forget(connection);
    connection.socket.destroy();
  }

  #forget(connection: Connection): void {
    if (this.#found.get(connection.key) === connection) this.#found.delete(connection.key);
    if (!this.#stages[connection.stage]!.delete(connection)) return;
    const { crowd } = connection;
    crowd.size--;
    if (crowd.size === 0) this.#crowds.delete(crowd.address);
  }

  #move(connection: Connection, stage: number): void {
    this.#stages[connection.stage]!.delete(connection);
    connection.stage = stage;
    this.#stages[stage]!.add(connection);
  }
}
