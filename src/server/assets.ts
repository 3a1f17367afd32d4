// The files of the live page. They lie in the bundle as compressed text, and this module is loaded with the first page
// that names them: an exporter without readers pays nothing for them. The address of a file has the hash of its bytes, so
// a browser may keep it for ever, and an open page of an older version still gets a program that fits its exporter.
import { gunzipSync } from 'node:zlib';
import page from '../web/main.tsx?page';

export type AssetName = keyof typeof page;

/** The addresses of the files, relative to a page. */
export const assetAddresses = (): Readonly<Record<AssetName, string>> => ({
  script: `./assets/page.js?v=${page.script.hash}`,
  style: `./assets/page.css?v=${page.style.hash}`,
  icon: `./assets/icon.svg?v=${page.icon.hash}`,
});

const decoded = new Map<AssetName, Buffer>();

/** The compressed bytes of a file; they are decoded once. */
function compressedOf(name: AssetName): Buffer {
  const bytes = decoded.get(name) ?? Buffer.from(page[name].gzip, 'base64');
  decoded.set(name, bytes);
  return bytes;
}

/**
 * What a client that asks for a file gets.
 * @param version the hash in the address; undefined where it has none
 * @param known If-None-Match: the tag of the bytes that the client has
 * @param gzip whether the client accepts it
 */
export function assetOf(name: AssetName, version: string | undefined, known: string | undefined, gzip: boolean) {
  const { hash } = page[name];
  const etag = `"${hash}${gzip ? '-gzip' : ''}"`;
  const headers: Record<string, string> = {
    etag,
    vary: 'accept-encoding',
    'cache-control': version === hash ? 'private, max-age=31536000, immutable' : 'no-cache',
  };
  if (known === etag) return { status: 304, headers, body: [] };
  if (gzip) headers['content-encoding'] = 'gzip';
  const compressed = compressedOf(name);
  return { status: 200, headers, body: [gzip ? compressed : gunzipSync(compressed)] };
}
