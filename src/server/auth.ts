// Basic authentication (RFC 7617) against the users of a web file. Whether a user exists can not be told from the time
// an answer takes. What was found right once is remembered as a keyed digest, never as the password.
import { createHmac, randomBytes } from 'node:crypto';
import type { Passwords } from './passwords.ts';

/** Right credentials that are remembered; beyond it, the oldest are forgotten. */
const REMEMBERED = 100;
/** Longest credentials that are looked at, characters; bcrypt takes 72 bytes of a password. */
const LONGEST = 1024;

export class Authenticator {
  readonly #passwords: Passwords;
  readonly #key = randomBytes(32);
  /** Digests of user, hash and password: found right, and being compared. */
  readonly #right = new Set<string>();
  readonly #compared = new Map<string, Promise<boolean>>();

  constructor(passwords: Passwords) {
    this.#passwords = passwords;
  }

  /** Whether the Authorization header names one of the users and its password. @throws Busy */
  async admits(header: string | undefined, users: ReadonlyMap<string, string>, client: string): Promise<boolean> {
    const [user, password] = credentialsOf(header) ?? [];
    if (user === undefined || password === undefined) return false;
    const known = users.get(user);
    const hash = known ?? this.#decoy(user, users);
    const digest = this.#digest(JSON.stringify([user, hash, password]));
    if (this.#right.has(digest)) return true;
    let comparison = this.#compared.get(digest);
    if (!comparison) {
      comparison = this.#passwords.compare(password, hash, client).finally(() => this.#compared.delete(digest));
      this.#compared.set(digest, comparison);
    }
    const right = (await comparison) && known !== undefined;
    if (right) {
      this.#right.add(digest);
      if (this.#right.size > REMEMBERED) this.#right.delete(this.#right.keys().next().value!);
    }
    return right;
  }

  /** A hash that costs as much as that of some user, always the same one for a name. */
  #decoy(user: string, users: ReadonlyMap<string, string>): string {
    const hashes = [...users.values()];
    const pick = Number.parseInt(this.#digest(user).slice(0, 8), 16) % hashes.length;
    return `${hashes[pick]!.slice(0, -31)}${'.'.repeat(31)}`;
  }

  #digest(text: string): string {
    return createHmac('sha256', this.#key).update(text).digest('hex');
  }
}

function credentialsOf(header: string | undefined): [user: string, password: string] | undefined {
  const encoded = /^basic +([A-Za-z0-9+/]+={0,2})$/i.exec((header ?? '').slice(0, LONGEST))?.[1];
  if (!encoded) return undefined;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? undefined : [text.slice(0, colon), text.slice(colon + 1)];
}
