import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { test } from 'node:test';
import { defaults } from '../config/options.ts';
import { allowedHostsOf, hostRefusal, isFromOtherSite } from './host-check.ts';

const hosts =
  '127.0.0.1 localhost\n127.0.1.1 web1.example.com Web1 # ours\n0.0.0.0 ads.example\n#10.0.0.1 web1 old.example\n';
const config = {
  ...defaults,
  web_allowed_hosts: ['Metrics.Example.'],
  web_listen_address: ['in.example:80', '10.0.0.1:1'],
};
const allowed = allowedHostsOf(config, 'web1', hosts);
const asked = (url: string, ...host: string[]) =>
  hostRefusal({ url, headersDistinct: host.length ? { host } : {} } as IncomingMessage, allowed);

// biome-ignore format: one line a case
const ours = ['localhost', 'LOCALHOST:9215', 'localhost.', 'localhost.:9215', 'localhost:', 'web1', 'WEB1:1', 'web1.example.com', 'metrics.example', 'in.example:80',
  '10.0.0.7', '10.0.0.7:9215', '127.0.0.1.', '[::1]', '[::1]:9215', '[2001:DB8::A]', '[fe80::1%25eth0]:9215', '[::ffff:10.0.0.1]', ''];
for (const host of ours) test(`Host: ${host || '(empty)'} is ours`, () => assert.equal(asked('/', host), undefined));

// biome-ignore format: one line a case
const others = ['evil.example', 'localhost.evil.example', 'evil.example:9215', '127.0.0.1.evil.example', 'web1.evil.example', 'ads.example', 'old.example',
  'evil.localhost', '0x7f.1', '2130706433', '127.1', '[evil.example]', '[::1', '[::1].evil.example', '::1', 'localhost@evil.example', 'localhost/evil', 'localhost evil',
  'localhost,evil.example', '.', 'lоcalhost', 'localhost\u0000', 'constructor', `${'a'.repeat(300)}`];
for (const host of others)
  test(`Host: ${JSON.stringify(host)} is not ours`, () => assert.equal(asked('/', host)?.status, 403));

test('the refusal says what to set', () =>
  assert.equal(
    asked('/', 'Evil.Example:1')!.reason,
    'this exporter is not known as evil.example; use its IP address, or add the name to web_allowed_hosts',
  ));

test('no Host is no browser; several are an error', () => {
  assert.equal(asked('/'), undefined);
  assert.equal(asked('/', 'localhost', 'localhost')?.status, 400);
});

test('a target with a host counts as well as the header', () => {
  assert.equal(asked('http://localhost:1/x', 'localhost'), undefined);
  assert.equal(asked('HTTP://EVIL.example/x', 'localhost')?.status, 403);
  assert.equal(asked('http://localhost/x', 'evil.example')?.status, 403);
  assert.equal(asked('https://user@localhost/x', 'localhost')?.status, 403);
  assert.equal(asked('http:///x', 'localhost')?.status, 403);
  assert.equal(asked('/http://evil.example/', 'localhost'), undefined);
});

// biome-ignore format: one line a case
const sites: [other: boolean, headers: Record<string, string>][] = [
  [false, {}], [false, { host: 'a:1' }], [false, { host: 'a:1', origin: 'http://a:1' }], [false, { host: 'a', origin: 'https://A' }],
  [false, { host: 'a', 'sec-fetch-site': 'same-origin' }], [false, { host: 'a', 'sec-fetch-site': 'none' }],
  [true, { host: 'a:1', origin: 'http://a:2' }], [true, { host: 'a', origin: 'null' }], [true, { host: 'a', origin: 'http://b' }],
  [true, { host: 'a', 'sec-fetch-site': 'cross-site' }], [true, { host: 'a', 'sec-fetch-site': 'same-site' }],
  [true, { host: 'a', origin: 'http://a', 'sec-fetch-site': 'cross-site' }], [true, { origin: 'http://a' }],
];
for (const [other, headers] of sites)
  test(`${JSON.stringify(headers)} comes from ${other ? 'another site' : 'us'}`, () =>
    assert.equal(isFromOtherSite({ headers } as unknown as IncomingMessage), other));
