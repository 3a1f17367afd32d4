import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { assetAddresses, assetOf } from './assets.ts';

const hashOf = (address: string) => new URL(address, 'http://x/').searchParams.get('v')!;

test('an address with the hash of the bytes may be kept for ever, any other is asked for again', () => {
  const hash = hashOf(assetAddresses().script);
  for (const [version, kept] of [
    [hash, true],
    ['0123456789abcdef', false],
    [undefined, false],
  ] as const) {
    const { status, headers } = assetOf('script', version, undefined, true);
    assert.deepEqual([status, /immutable/.test(headers['cache-control']!)], [200, kept], version);
  }
});

test('clients with and without gzip get the same text, and a tag of their own', () => {
  const packed = assetOf('style', undefined, undefined, true);
  const plain = assetOf('style', undefined, undefined, false);
  assert.deepEqual([packed.headers['content-encoding'], plain.headers['content-encoding']], ['gzip', undefined]);
  assert.ok(gunzipSync(packed.body[0]!).equals(plain.body[0]!));
  assert.notEqual(packed.headers.etag, plain.headers.etag);
});

test('a client that has the bytes gets none', () => {
  const { etag } = assetOf('icon', undefined, undefined, true).headers;
  const { status, body } = assetOf('icon', undefined, etag, true);
  assert.deepEqual([status, body], [304, []]);
  assert.equal(assetOf('icon', undefined, '"other"', true).status, 200);
});
