import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProcessFiles } from '../kernel/files.ts';
import { Difference } from './difference.ts';
import { GroupCounters } from './group-counters.ts';
import { Process } from './process.ts';
import { ReapedChildren } from './reaped-children.ts';

test('CPU time of a child that comes back divided otherwise than it was seen is not credited again', () => {
  const parent = new Process({ pid: 1 } as ProcessFiles, 1, false);
  const child = new Process({ pid: 2 } as ProcessFiles, 2, false);
  const counters = new GroupCounters('jobs', 'make');
  Object.assign(parent.membership, { counters });
  Object.assign(child.stat, { ppid: 1, user: 0.5, system: 0.5, ended: true });
  const children = new ReapedChildren();
  const gain = Object.assign(new Difference(), { counted: true, childrenUser: 0.25, childrenSystem: 1 });
  children.take(parent, gain);
  children.ended(child);
  children.creditGains(new Map([[1, parent]]));
  assert.equal(counters.user + counters.system, 0.25, 'what it used since it was seen');
});
