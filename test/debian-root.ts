// A smallest Debian as a folder, for tests that install into one or that need a system without Node.js.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { root } from './harness.ts';

/** An archive of its root folder; made once, which takes a minute. */
export function debianRoot(mmdebstrap: string, suite: 'bookworm' | 'bullseye' = 'bookworm'): string {
  const path = `${root}.cache/image/debian-${suite}.tar`;
  if (existsSync(path)) return path;
  mkdirSync(`${root}.cache/image`, { recursive: true });
  const part = `${root}.cache/image/${process.pid}.tar`;
  execFileSync(mmdebstrap, ['--quiet', '--variant=minbase', suite, part]);
  renameSync(part, path);
  return path;
}
