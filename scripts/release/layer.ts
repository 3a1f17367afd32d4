// One layer of an image, as a tar archive: everything belongs to root and has one date, folders come before what is in them, and a
// file may have capabilities (pax(1); the extended attributes are written as GNU tar does). Writing the archive ourselves
// needs no root: in a real folder only root can give a file capabilities.
import { createHash } from 'node:crypto';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { pack } from 'tar-stream';
import type { Entry } from './release.ts';

/** Bits of linux/capability.h. */
const BITS = { cap_dac_read_search: 2, cap_sys_ptrace: 19 } as const;
export type Capability = keyof typeof BITS;

export interface LayerEntry extends Entry {
  /** Target of a symbolic link; it then has no content. */
  readonly link?: string;
  /** The file runs with them, where the container may have them: `=ep` of setcap(8). */
  readonly capabilities?: readonly Capability[];
}

export interface Blob {
  readonly digest: string;
  readonly bytes: Buffer;
}

export interface Layer extends Blob {
  /** Of the archive before its compression. */
  readonly diffId: string;
}

export async function layerOf(entries: readonly LayerEntry[], date: number, fast: boolean): Promise<Layer> {
  const tar = await tarOf(entries, date);
  const compressed = await promisify(gzip)(tar, { level: fast ? 1 : 9 });
  return { ...blobOf(compressed), diffId: digestOf(tar) };
}

/** A tar archive of the entries and the folders that they are in. */
export async function tarOf(entries: readonly LayerEntry[], date: number): Promise<Buffer> {
  const archive = pack();
  const mtime = new Date(date * 1000);
  for (const name of foldersOf(entries)) archive.entry({ name: `${name}/`, type: 'directory', mode: 0o755, mtime });
  const sorted = entries.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  for (const { path: name, link: linkname, mode = 0o644, capabilities = [], content } of sorted)
    if (linkname !== undefined) archive.entry({ name, type: 'symlink', linkname, mode: 0o777, mtime });
    else archive.entry({ name, mode, mtime, pax: attributes(capabilities) }, content);
  archive.finalize();
  const parts: Buffer[] = [];
  for await (const part of archive) parts.push(part);
  return Buffer.concat(parts);
}

function foldersOf(entries: readonly LayerEntry[]): string[] {
  const folders = new Set<string>();
  for (const { path } of entries)
    for (let folder = dirname(path); folder !== '.'; folder = dirname(folder)) folders.add(folder);
  return [...folders].sort();
}

/** Version 2 of the kernel's vfs_cap_data, with the effective bit (linux/capability.h). */
function attributes(capabilities: readonly Capability[]): Record<string, string> | undefined {
  if (capabilities.length === 0) return undefined;
  const data = Buffer.alloc(20);
  data.writeUInt32LE(0x02000001);
  data.writeUInt32LE(
    capabilities.reduce((bits, name) => bits | (1 << BITS[name]), 0),
    4,
  );
  // tar-stream takes text: bytes below 0x80 are the same in UTF-8.
  if (data.some((byte) => byte > 0x7f)) throw new Error(`no text for the capabilities ${capabilities.join()}`);
  return { 'SCHILY.xattr.security.capability': data.toString('latin1') };
}

export const blobOf = (content: Buffer | object): Blob => {
  const bytes = Buffer.isBuffer(content) ? content : Buffer.from(JSON.stringify(content));
  return { digest: digestOf(bytes), bytes };
};

const digestOf = (bytes: Buffer): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
