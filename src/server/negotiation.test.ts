import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Format } from '../exposition/encode.ts';
import { acceptsGzip, chooseFormat, chooseMediaType } from './negotiation.ts';

const types = ['text/html; charset=utf-8', 'application/json; charset=utf-8'];
const [html, json] = types;
// biome-ignore format: one line a case
const accepted: [accept: string | undefined, expected: string | undefined][] = [
  [undefined, html], ['', html], ['*/*', html], ['text/html', html], ['application/json', json],
  ['application/json, text/html;q=0.9', json], ['text/html, application/json', html], ['application/*', json],
  ['text/*;q=0.1, application/json;q=0.2', json], ['*/*;q=0.1, application/json;q=0', html], ['image/png', undefined],
  ['text/html;q=0, */*;q=0', undefined], ['TEXT/HTML', html], ['constructor', undefined], ['text/html;q=x', undefined],
  ['text/html;q=2, application/json;q=0.1', json], ['text/html;q=1.001', undefined], ['text/html;q=0x1', undefined],
  ['text/html;q=0.5;q=1, application/json;q=0.7', json], ['*/*; q=.2', html], ['text/html;q=1.000', html],
  [',;,;q=', undefined], ['image/png, */*;q=0.5', html],
];
for (const [accept, expected] of accepted)
  test(`Accept: ${accept} chooses ${expected}`, () => assert.equal(chooseMediaType(accept, types), expected));

const OM = 'application/openmetrics-text';
// biome-ignore format: one line a case
const accepts: [accept: string | undefined, format: Format][] = [
  [undefined, 'text'], ['', 'text'], ['constructor', 'text'], ['__proto__', 'text'], [';;;,,,q=', 'text'], ['*/*', 'text'],
  ['application/json', 'text'], [`${OM};version=9`, 'text'], [`${OM};q=0`, 'text'], [`${OM};q=x`, 'text'], [`${OM};q=-1`, 'text'], [`${OM};q=2`, 'text'], [`text/plain,${OM};q=1.5`, 'text'],
  [OM, 'openmetrics'], [OM.toUpperCase(), 'openmetrics'], [`${OM}; version=1.0.0; charset=utf-8`, 'openmetrics'], [`${OM};version=0.0.1`, 'openmetrics'],
  [`text/plain,${OM}`, 'text'], [`${OM},text/plain`, 'openmetrics'], [`text/plain;q=0.4,${OM};q=0.5`, 'openmetrics'], [`${OM};q=0.4,text/plain;q=0.5`, 'text'],
  [`text/plain;version=1.0.0;q=1,${OM};q=0.1`, 'openmetrics'], [`*/*;q=1,${OM};q=0.9`, 'text'],
  // Prometheus 2.42, 2.53 and 3.5
  [`${OM};version=1.0.0,${OM};version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1`, 'openmetrics'],
  [`${OM};version=1.0.0;q=0.5,${OM};version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2`, 'openmetrics'],
  [`${OM};version=1.0.0;escaping=allow-utf-8;q=0.5,${OM};version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1`, 'openmetrics'],
  [`text/plain;version=0.0.4;q=0.5,${`x/y,`.repeat(5000)}${OM}`, 'text'],
];
test('Accept chooses the format of a scrape', () => {
  for (const [accept, format] of accepts) assert.equal(chooseFormat(accept), format, accept);
});

test('Accept-Encoding decides on gzip', () => {
  // biome-ignore format: one line a case
  const cases: [string | undefined, boolean][] = [
    [undefined, false], ['', false], ['identity', false], ['br', false], ['gzip', true], ['GZIP', true], ['deflate, gzip;q=1.0', true], ['*', true],
    ['gzip;q=0', false], ['gzip;q=0, *', false], ['*;q=0, gzip', true], ['*;q=0', false], ['gzip;q=0.001', true], ['gzip;q=x', false], ['gzip;q=2', false], ['br;q=1, gzip;q=.5', true], ['xgzip', false], ['constructor', false],
  ];
  for (const [accept, gzip] of cases) assert.equal(acceptsGzip(accept), gzip, accept);
});

test('any header gives an answer', () => {
  fc.assert(
    fc.property(
      fc.string(),
      (header) => ['text', 'openmetrics'].includes(chooseFormat(header)) && typeof acceptsGzip(header) === 'boolean',
    ),
  );
});
