import assert from 'node:assert/strict';
import { test } from 'node:test';
import { frameOf } from '../../../test/kernel-text.ts';
import { formatCapture, framedFiles } from '../../kernel/capture.ts';
import { readUsers } from '../../kernel/host.ts';
import { recordHost } from './record-host.ts';

const PASSWD = [
  'root:$6$salt$hash:0:0:Ann,Room 7,555-0100:/root:/bin/sh',
  '# a remark',
  '+::::::',
  'shop:x:1000:1000::/srv:/bin/sh\n',
].join('\n');
const host = new Map([
  ...frameOf({}, [{ pid: 7, memory: {}, argv: ['x', '-k', 'tangerine'] }]),
  ['etc/passwd', { bytes: Buffer.from(PASSWD) }] as const,
]);

test('values are hidden, and recorded only where the operator says so', async () => {
  assert.match(formatCapture([await recordHost(framedFiles([host]))]), /cmdline x\\x00-k\\x00\*\*\*\\x00\n/);
  const whole = await recordHost(framedFiles([host]), { showValues: true });
  assert.match(formatCapture([whole]), /cmdline x\\x00-k\\x00tangerine\\x00\n/);
});

test('of the users of a host, a capture holds names and numbers', async () => {
  const recorded = await recordHost(framedFiles([host]));
  const entry = recorded.get('etc/passwd')!;
  assert.equal('bytes' in entry && Buffer.from(entry.bytes).toString(), 'root:x:0:\nshop:x:1000:\n');
  assert.deepEqual([...readUsers(framedFiles([recorded]))], [...readUsers(framedFiles([host]))]);
});
