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

/**
 * @param version the hash that the client asks for; undefined where its address has none
 * @param known the entity tag of the bytes that the client has
 */
export function assetOf(name: AssetName, version: string | undefined, known: string | undefined, gzip: boolean) {
  const { hash } = page[name];
  const tag = `"${hash}${gzip ? '-gzip' : ''}"`;
  const headers = {
    etag: tag,
    vary: 'accept-encoding',
    'cache-control': version === hash ? 'private, max-age=31536000, immutable' : 'no-cache',
    ...(gzip && { 'content-encoding': 'gzip' }),
  };
  if (known === tag) return { status: 304, headers, body: [] };
  let compressed = decoded.get(name);
  if (!compressed) decoded.set(name, (compressed = Buffer.from(page[name].gzip, 'base64')));
  return { status: 200, headers, body: [gzip ? compressed : gunzipSync(compressed)] };
}
