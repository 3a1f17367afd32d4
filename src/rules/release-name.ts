// The name of a program without what a release adds to it: "minio" of "minio-linux-amd64", "redis-server" of
// "redis-server-7.2", "node_exporter" of "node_exporter-1.8.2.linux-amd64".
import { partSet } from './part-table.ts';

/** Platforms and kinds of builds, as projects write them into the names of the files that they publish. */
const PARTS = partSet(
  (
    'linux amd64 x86 x86_64 x64 64 i386 i486 i586 i686 arm64 aarch64 arm armhf armv5 armv6 armv7 armv7l armv8 riscv64 ' +
    'ppc64le s390x musl gnu glibc gnueabihf static unknown release prod bin exe stable latest debug Linux Shipping ' +
    'rc alpha beta ce ee real'
  ).split(' '),
);
const VERSION = /^v?\d+(?:rc|alpha|beta|a|b|p)?\d*$/;
/** A longer name has no version that matters; a longer part is none. */
const LENGTH_MAX = 200;
const PART_LENGTH_MAX = 9;
const LETTER_V = 0x76;

const isSeparator = (c: number) => c === 0x2d || c === 0x5f || c === 0x2e || c === 0x40;
const isDigit = (c: number) => c >= 0x30 && c <= 0x39;

/** Where the name ends and version and platform begin; its length where it has neither. At least three letters stay. */
export function releaseEnd(name: string): number {
  if (name.length > LENGTH_MAX) return name.length;
  let end = name.length;
  for (;;) {
    let at = end - 1;
    while (at > 0 && !isSeparator(name.charCodeAt(at))) at--;
    if (at < 3 || at === end - 1) return end;
    if (!isPart(name, at + 1, end)) {
      // x86_64 has a separator of its own.
      if (at < 7 || !name.endsWith('x86_64', end) || !isSeparator(name.charCodeAt(end - 7))) return end;
      at = end - 7;
    }
    end = at;
  }
}

/** Makes a string only of what may be a part: a new process asks this of every name. */
function isPart(name: string, start: number, end: number): boolean {
  if (end - start > PART_LENGTH_MAX) return false;
  let at = name.charCodeAt(start) === LETTER_V ? start + 1 : start;
  while (at < end && isDigit(name.charCodeAt(at))) at++;
  if (at === end && at > start) return isDigit(name.charCodeAt(end - 1));
  if (PARTS.get(name, start, end)) return true;
  return at > start && isDigit(name.charCodeAt(at - 1)) && VERSION.test(name.slice(start, end));
}
