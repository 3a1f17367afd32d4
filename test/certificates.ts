// Certificates for the tests, made by openssl: authorities, and the certificates that they sign. Keys are elliptic,
// because those are made quickly.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { ensure } from '../scripts/test-servers.mjs';
import { scratch } from './harness.ts';

/** Paths of a PEM certificate and its key; `cert` of a chain holds the intermediate as well. */
export interface Pair {
  readonly cert: string;
  readonly key: string;
}

export interface Wish {
  /** As openssl writes them: DNS:localhost, IP:127.0.0.1, email:a@b.c, URI:spiffe://x. */
  readonly san?: string;
  /** Days until it expires; a negative number: it has expired. */
  readonly days?: number;
  readonly key?: 'ec' | 'rsa';
}

const localhost = 'DNS:localhost,IP:127.0.0.1,IP:::1';

export class Authority implements Pair {
  readonly cert: string;
  readonly key: string;
  readonly #dir = scratch();
  #made = 0;

  constructor(name: string, parent?: Authority) {
    const extensions = 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n';
    const { cert, key } = parent
      ? parent.#sign(name, extensions, 30, 'ec')
      : selfSigned(this.#dir, name, ['-addext', 'basicConstraints=critical,CA:TRUE']);
    this.cert = cert;
    this.key = key;
  }

  issue(name: string, { san = localhost, days = 30, key = 'ec' }: Wish = {}): Pair {
    return this.#sign(name, san ? `subjectAltName=${san}\n` : '', days, key);
  }

  #sign(name: string, extensions: string, days: number, kind: 'ec' | 'rsa'): Pair {
    const at = `${this.#dir}/${++this.#made}`;
    openssl('req', '-new', ...keyOptions(kind), '-keyout', `${at}.key`, '-out', `${at}.csr`, '-subj', `/CN=${name}`);
    writeFileSync(`${at}.ext`, extensions || 'basicConstraints=CA:FALSE\n');
    const signer = ['-CA', this.cert, '-CAkey', this.key, '-CAcreateserial'];
    openssl(
      'x509',
      '-req',
      '-in',
      `${at}.csr`,
      ...signer,
      '-days',
      `${days}`,
      '-extfile',
      `${at}.ext`,
      '-out',
      `${at}.crt`,
    );
    return { cert: `${at}.crt`, key: `${at}.key` };
  }
}

export const selfSigned = (dir: string, name: string, options: string[] = []): Pair => {
  const pair = { cert: `${dir}/${name}.crt`, key: `${dir}/${name}.key` };
  const subject = ['-subj', `/CN=${name}`, '-days', '30'];
  openssl('req', '-x509', ...keyOptions('ec'), '-keyout', pair.key, '-out', pair.cert, ...subject, ...options);
  return pair;
};

/** The pair with the certificate of its signer behind its own, as public CAs hand them out. */
export function chained(pair: Pair, signer: Authority): Pair {
  const cert = `${pair.cert}.chain`;
  writeFileSync(cert, readFileSync(pair.cert, 'utf8') + readFileSync(signer.cert, 'utf8'));
  return { cert, key: pair.key };
}

const keyOptions = (kind: 'ec' | 'rsa'): string[] => [
  ...(kind === 'ec' ? ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'] : ['-newkey', 'rsa:2048']),
  '-nodes',
];

function openssl(...args: string[]): void {
  execFileSync(ensure('openssl').openssl, args, { stdio: ['ignore', 'ignore', 'pipe'] });
}
