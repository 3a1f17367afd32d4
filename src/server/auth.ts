// Basic authentication (RFC 7617) by the users of a web configuration file. The time of an answer does not reveal whether a
// user exists: the password of an unknown user is compared too, with a hash of the same cost. Right credentials are
// compared once and then remembered, as a keyed digest and never as the password.
import { createHmac, randomBytes } from 'node:crypto';
import type { EventEmitter } from 'node:events';
import type { Passwords } from './passwords.ts';

/** Right credentials that are remembered; of more, the oldest are forgotten. */
const REMEMBERED_MAX = 100;
/** Characters of a header that are read; bcrypt uses 72 bytes of a password. */
const HEADER_MAX_CHARACTERS = 1024;

/** A comparison under way, for every client that sent the same credentials meanwhile. */
interface Comparison {
  readonly result: Promise<boolean>;
  readonly abandoned: AbortController;
  /** Clients that wait for it. */
  clients: number;
}

export class Authenticator {
  readonly #passwords: Passwords;
  readonly #key = randomBytes(32);
  /** Digests of user, hash and password: the ones that are right, and the ones that are being compared. */
  readonly #right = new Set<string>();
  readonly #compared = new Map<string, Comparison>();

  constructor(passwords: Passwords) {
    this.#passwords = passwords;
  }

  /**
   * Whether the Authorization header has one of the users and its password.
   * @param users bcrypt hash by user name @param client its network @param socket where the answer goes
   * @throws QueueFullError, ClientGoneError
   */
  async admits(
    header: string | undefined,
    users: ReadonlyMap<string, string>,
    client: string,
    socket: EventEmitter,
  ): Promise<boolean> {
    const [user, password] = credentialsOf(header) ?? [];
    if (user === undefined || password === undefined) return false;
    const known = users.get(user);
    const hash = known ?? this.#decoy(user, users);
    const digest = this.#digest(JSON.stringify([user, hash, password]));
    if (this.#right.has(digest)) return true;
    const comparison = this.#compared.get(digest) ?? this.#begin(digest, password, hash, client);
    const right = (await resultFor(socket, comparison)) && known !== undefined;
    if (right) {
      this.#right.add(digest);
      if (this.#right.size > REMEMBERED_MAX) this.#right.delete(this.#right.keys().next().value!);
    }
    return right;
  }

  #begin(digest: string, password: string, hash: string, client: string): Comparison {
    const abandoned = new AbortController();
    // Nobody may join a comparison that is over, or that is given up.
    const forget = () => {
      if (this.#compared.get(digest) === comparison) this.#compared.delete(digest);
    };
    const result = this.#passwords.compare(password, hash, client, abandoned.signal).finally(forget);
    const comparison: Comparison = { result, abandoned, clients: 0 };
    abandoned.signal.addEventListener('abort', forget);
    this.#compared.set(digest, comparison);
    return comparison;
  }

  /** A hash for an unknown user: as costly as the hash of a real user, always the same one for a name, of no password. */
  #decoy(user: string, users: ReadonlyMap<string, string>): string {
    const hashes = [...users.values()];
    const pick = Number.parseInt(this.#digest(user).slice(0, 8), 16) % hashes.length;
    return `${hashes[pick]!.slice(0, -31)}${'.'.repeat(31)}`;
  }

  #digest(text: string): string {
    return createHmac('sha256', this.#key).update(text).digest('hex');
  }
}

/** The result of a comparison for one client. When all clients that wait for it have gone, it is abandoned. */
async function resultFor(socket: EventEmitter, comparison: Comparison): Promise<boolean> {
  comparison.clients++;
  const gone = () => {
    comparison.clients--;
    if (comparison.clients === 0) comparison.abandoned.abort();
  };
  socket.once('close', gone);
  try {
    return await comparison.result;
  } finally {
    socket.off('close', gone);
  }
}

function credentialsOf(header: string | undefined): [user: string, password: string] | undefined {
  const encoded = /^basic +([A-Za-z0-9+/]+={0,2})$/i.exec((header ?? '').slice(0, HEADER_MAX_CHARACTERS))?.[1];
  if (!encoded) return undefined;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? undefined : [text.slice(0, colon), text.slice(colon + 1)];
}
