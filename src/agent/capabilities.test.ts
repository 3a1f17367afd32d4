import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Privileges } from '../kernel/self.ts';
import type { UnreadableCount } from '../process/unreadable.ts';
import { grantFor, hiddenAdvice } from './capabilities.ts';

const PTRACE = 'CAP_SYS_PTRACE';
const SEARCH = 'CAP_DAC_READ_SEARCH';
const USER: Privileges = { uid: 1000, capabilities: [], hidepid: '', userNamespace: false };

test('a capability is advised only where it would help this process', () => {
  // biome-ignore format: one line a case
  const cases: [file: UnreadableCount['file'], reason: UnreadableCount['reason'], own: Partial<Privileges>, grant: RegExp | undefined][] = [
    ['smaps_rollup', 'denied', {}, /^CAP_SYS_PTRACE \(or CAP_PERFMON on recent kernels\)$/],
    ['smaps_rollup', 'denied', { uid: 0 }, /^CAP_SYS_PTRACE/],
    ['smaps_rollup', 'denied', { capabilities: ['CAP_PERFMON'] }, /^CAP_SYS_PTRACE/],
    ['smaps_rollup', 'denied', { uid: 0, capabilities: [PTRACE] }, undefined],
    ['smaps_rollup', 'denied', { uid: 0, capabilities: [], userNamespace: true }, undefined],
    ['smaps_rollup', 'unsupported', {}, undefined],
    ['io', 'denied', { capabilities: [PTRACE] }, /^CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH$/],
    ['io', 'denied', { capabilities: [PTRACE, SEARCH] }, undefined],
    ['statm', 'denied', {}, undefined],
  ];
  for (const [file, reason, own, grant] of cases) {
    const found = grantFor({ file, reason, processes: 3 }, { ...USER, ...own });
    if (grant) assert.match(found ?? '', grant, `${file} ${reason} ${JSON.stringify(own)}`);
    else assert.equal(found, undefined, `${file} ${reason} ${JSON.stringify(own)}`);
  }
});

test('the group of the mount is advised only where it shows hidden processes', () => {
  const advice = (hidepid: string, userNamespace = false) => hiddenAdvice({ ...USER, hidepid, userNamespace });
  for (const hidepid of ['invisible', '2', 'noaccess'])
    assert.equal(
      advice(hidepid),
      'grant CAP_SYS_PTRACE, or mount /proc with gid=GROUP and run the exporter in that group',
    );
  for (const hidepid of ['ptraceable', '4']) assert.equal(advice(hidepid), 'grant CAP_SYS_PTRACE');
  assert.equal(advice('ptraceable', true), 'run the exporter outside of its user namespace, with CAP_SYS_PTRACE');
});
