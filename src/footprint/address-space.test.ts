import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProcessFiles } from '../kernel/files.ts';
import { Process } from '../process/process.ts';
import { usesSpaceOfParent } from './address-space.ts';

interface Child {
  readonly startStack?: number;
  readonly virtualSize?: number;
  readonly rss?: number;
  readonly anonymous?: number;
  readonly sharedAnonymous?: number;
  readonly swappedShared?: number;
  readonly parent?: object;
  readonly found?: boolean;
}

function pair(child: Child): Process {
  const [parent, proc] = [1, 2].map((pid) => new Process({ pid } as ProcessFiles, pid, false)) as [Process, Process];
  Object.assign(parent.stat, { startStack: 7, virtualSize: 9000, ...child.parent });
  Object.assign(parent.memory, { rss: 4000 });
  Object.assign(proc.stat, { startStack: child.startStack ?? 7, virtualSize: child.virtualSize ?? 9000 });
  Object.assign(proc.memory, { rss: child.rss ?? 4000 });
  const { anonymous = 3000, sharedAnonymous = 0, swappedShared = 0 } = child;
  Object.assign(proc.footprint, { swappedShared });
  Object.assign(proc.measurement, { at: 1, anonymous, sharedAnonymous });
  Object.assign(proc.sharing, { forkedFrom: child.found === false ? undefined : parent });
  return proc;
}

const cases: [what: string, child: Child, uses: boolean][] = [
  ['a child of vfork', {}, true],
  ['what changed between two reads', { rss: 4050, virtualSize: 9100 }, true],
  ['a page that belongs to both: it was forked', { sharedAnonymous: 2048 }, false],
  ['shared memory in swap', { sharedAnonymous: 4096, swappedShared: 4096 }, true],
  ['shared memory in swap, and a page that belongs to both', { sharedAnonymous: 6144, swappedShared: 4096 }, false],
  ['a kernel that does not say what is anonymous', { anonymous: Number.NaN, sharedAnonymous: Number.NaN }, false],
  ['nothing measured', { anonymous: 0 }, false],
  ['another stack: it has executed', { startStack: 8 }, false],
  ['other sizes', { rss: 3000 }, false],
  ['another address space', { virtualSize: 12_000 }, false],
  ['memory that is not known', { rss: Number.NaN }, false],
  ['the parent has ended', { parent: { ended: true } }, false],
  ['the parent could not be read', { parent: { absent: true } }, false],
  ['no such parent', { found: false }, false],
];
for (const [what, child, uses] of cases) test(what, () => assert.equal(usesSpaceOfParent(pair(child)), uses));
