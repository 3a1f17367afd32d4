import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clientNetworkOf } from './client-network.ts';

// biome-ignore format: one line a case
const networks: [network: string, ...addresses: string[]][] = [
  ['10.1.2.3', '10.1.2.3', '::ffff:10.1.2.3', '::FFFF:10.1.2.3', '::ffff:a01:203', '64:ff9b::10.1.2.3', '64:ff9b::a01:203'],
  ['10.1.2.4', '10.1.2.4'],
  ['127.0.0.0/8', '127.0.0.1', '127.9.8.7', '::ffff:127.0.0.2'],
  ['0:0:0:0::/64', '::1', '::'],
  ['2001:db8:1:2::/64', '2001:db8:1:2::', '2001:db8:1:2::1', '2001:db8:1:2:ffff:ffff:ffff:ffff', '2001:DB8:1:2:a::b'],
  ['2001:db8:1:3::/64', '2001:db8:1:3::1'],
  ['2001:db8:0:0::/64', '2001:db8::1', '2001:db8::1:2:3:4', '2001:db8::'],
  ['2001:0:0:1::/64', '2001:0:0:1::5', '2001::1:0:0:0:5'],
  ['fe80:0:0:0::/64%eth0', 'fe80::1%eth0', 'fe80::a:b:c:d%eth0'],
  ['local', 'local'],
];
for (const [network, ...addresses] of networks)
  for (const address of addresses)
    test(`${address} is of ${network}`, () => assert.equal(clientNetworkOf(address), network));
