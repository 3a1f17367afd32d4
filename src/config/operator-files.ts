// The one reader of files that an operator writes: configuration, rules, web configuration, certificates, captures.
//
// What stands at such a path may be anything, also where nobody named the path (./subgroups.toml). Opening a FIFO waits
// for a writer, reading /dev/zero never ends, and opening a watchdog device may restart the host. So the path is looked
// at before it is opened (stat follows links), it is opened with O_NONBLOCK, and the open file is looked at again, since
// another file may have taken its place. The size is checked before reading and while reading: a file may grow, and
// the kernel's own files state a size of 0. Reads are synchronous: they are short, and they end.
//
// Every fault reads the same for every file: "/etc/herakles/subgroups.toml: is a FIFO; put a rule file in its place".
import { closeSync, constants, fstatSync, openSync, readSync, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';

interface FileUse {
  /** What belongs at the path; completes "put … in its place". */
  readonly what: string;
  /** Size of the largest file that is read, bytes. */
  readonly maxBytes: number;
}

const KIB = 1024;
const MIB = 1024 * KIB;

const USES = {
  /** A configuration is a page. To parse this much YAML takes up to half a second (parser-thread.ts). */
  configuration: { what: 'a configuration file', maxBytes: 128 * KIB },
  /** 10,000 rules of 100 bytes. To parse this much TOML takes up to half a second (parser-thread.ts). */
  rules: { what: 'a rule file', maxBytes: MIB },
  processExporter: { what: 'a configuration of process-exporter', maxBytes: 4 * MIB },
  /** 1,000 users, or 40 certificates in the file itself. */
  web: { what: 'a web configuration file', maxBytes: 128 * KIB },
  /** The CA certificates of a whole distribution take 250 KiB. */
  pem: { what: 'a PEM file', maxBytes: MIB },
  hosts: { what: 'a hosts file', maxBytes: MIB },
  /** Some ten frames of a host with 10,000 processes. V8 cannot hold a text of 512 MiB or more. */
  capture: { what: 'a capture file', maxBytes: 256 * MIB },
} as const satisfies Record<string, FileUse>;

/** What a file is read as. */
export type OperatorFileUse = keyof typeof USES;

/**
 * Why there is nothing to read: `missing`, no such file; `unreachable`, this user may not enter its folder; `unusable`,
 * everything else.
 */
export type OperatorFileReason = 'missing' | 'unreachable' | 'unusable';

/** The message names the path, what is wrong and what to do instead. */
export class OperatorFileError extends Error {
  readonly reason: OperatorFileReason;
  constructor(reason: OperatorFileReason, message: string) {
    super(message);
    this.name = 'OperatorFileError';
    this.reason = reason;
  }
}

/** The bytes of a regular file within the limit of its use. @throws OperatorFileError and nothing else */
export function readOperatorFile(path: string, use: OperatorFileUse): Uint8Array {
  try {
    refuseUnlessReadable(path, statSync(path), USES[use]);
    const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    try {
      const status = fstatSync(descriptor);
      refuseUnlessReadable(path, status, USES[use]);
      return readAll(path, descriptor, status.size, USES[use]);
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    throw error instanceof OperatorFileError ? error : explained(path, error as NodeJS.ErrnoException, USES[use]);
  }
}

/** The text of such a file, without a byte order mark. @throws OperatorFileError also where it is not UTF-8 */
export const readOperatorText = (path: string, use: OperatorFileUse): string =>
  decodeOperatorText(path, readOperatorFile(path, use));

/** @throws OperatorFileError that names the first line that is not UTF-8 */
export function decodeOperatorText(path: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    const line = new TextDecoder().decode(bytes).split('\ufffd')[0]!.split('\n').length;
    throw new OperatorFileError('unusable', `${path}:${line}: is not UTF-8 text; save it as UTF-8`);
  }
}

function refuseUnlessReadable(path: string, status: Stats, { what, maxBytes }: FileUse): void {
  if (!status.isFile())
    throw new OperatorFileError('unusable', `${path}: is ${kindOf(status)}; put ${what} in its place`);
  if (status.size > maxBytes) throw tooLarge(path, { what, maxBytes });
}

function kindOf(status: Stats): string {
  if (status.isDirectory()) return 'a directory';
  if (status.isFIFO()) return 'a FIFO';
  return status.isSocket() ? 'a socket' : 'a device';
}

/** @param expected size that the file stated, bytes; it may hold more by now, or less */
function readAll(path: string, descriptor: number, expected: number, use: FileUse): Uint8Array {
  const chunks: Buffer[] = [];
  let length = 0;
  for (;;) {
    const chunk = Buffer.allocUnsafe(Math.max(expected - length + 1, 16 * KIB));
    const read = readSync(descriptor, chunk, 0, chunk.length, null);
    if (read === 0) return Buffer.concat(chunks, length);
    chunks.push(chunk.subarray(0, read));
    length += read;
    if (length > use.maxBytes) throw tooLarge(path, use);
  }
}

function tooLarge(path: string, { what, maxBytes }: FileUse): OperatorFileError {
  const limit = maxBytes < MIB ? `${maxBytes / KIB} KiB` : `${maxBytes / MIB} MiB`;
  return new OperatorFileError('unusable', `${path}: is larger than ${limit}; put ${what} in its place`);
}

/** What a failed system call means for the operator. */
function explained(path: string, { code, message }: NodeJS.ErrnoException, { what }: FileUse): OperatorFileError {
  if (code === 'ENOENT' || code === 'ENOTDIR')
    return new OperatorFileError('missing', `${path}: no such file; correct the path, or create it`);
  if (code === 'EACCES' || code === 'EPERM') {
    const folder = dirname(path);
    return mayEnter(folder)
      ? new OperatorFileError('unusable', `${path}: may not be read by this user; change its mode or owner`)
      : new OperatorFileError('unreachable', `${folder}: may not be entered by this user; change its mode or owner`);
  }
  // Node writes "ELOOP: too many symbolic links encountered, stat '/path'".
  const reason = message.split(', ')[0];
  return new OperatorFileError('unusable', `${path}: cannot be read (${reason}); put ${what} in its place`);
}

/** Asks as the effective user, unlike access(2). */
function mayEnter(folder: string): boolean {
  try {
    statSync(`${folder}/.`);
    return true;
  } catch {
    return false;
  }
}
