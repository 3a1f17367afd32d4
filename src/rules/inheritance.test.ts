import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { shippedRules } from '../../scripts/shipped-rules.ts';
import { Machine, type Task } from '../../test/machine.ts';
import { Tracker } from '../process/tracker.ts';
import { Unreadable } from '../process/unreadable.ts';
import { INHERITANCE_BARRIERS, inheritanceSource, TRANSPARENT_GROUPS, type TreeProcess } from './inheritance.ts';

const GROUPS: Readonly<Record<string, string>> = {
  init: 'system/init',
  sshd: 'system/ssh',
  sh: 'runtime/shell',
  sudo: 'system/sessions',
  pm2: 'runtime/pm2',
  db: 'db/postgres',
  web: 'web/nginx',
};

const rulesOf =
  (groups: Readonly<Record<string, string>>) =>
  ({ name }: { name: string }) => {
    const [group, subgroup] = (groups[name] ?? 'other/other').split('/') as [string, string];
    return { group, subgroup, rule: name in groups ? `rules#${name}` : 'none' };
  };

/** A machine, and a tracker of its processes with inherited groups. */
function watch(machine = new Machine(), inherits = true) {
  const units = { pageSize: 4096, ticksPerSecond: 100 };
  const tracker = new Tracker(machine, units, new Unreadable(), rulesOf(GROUPS));
  tracker.inherits = inherits;
  const pass = () => {
    machine.now += 1000;
    for (const _ of tracker.pass({ forks: machine.forks, bootTime: 0, cpus: 1 }));
  };
  const describe = ({ pid }: Task) => tracker.living.find((proc) => proc.pid === pid)!.description;
  const group = (task: Task) => `${describe(task).group}/${describe(task).subgroup}`;
  return { machine, tracker, pass, describe, group };
}

// biome-ignore format: one line a case
const chains: [chain: string, group: string, what: string][] = [
  ['web job', 'web/nginx', 'its parent is classified'],
  ['web job job job', 'web/nginx', 'so is an ancestor further up'],
  ['web db job', 'db/postgres', 'the nearest counts'],
  ['web sh job', 'web/nginx', 'a shell stands between'],
  ['web sh sudo sh job', 'web/nginx', 'so does sudo'],
  ['job', 'other/other', 'a child of init'],
  ['sh job', 'other/other', 'nothing is inherited from a shell itself'],
  ['sshd sh job', 'other/other', 'a login session'],
  ['web sshd sh job', 'other/other', 'a program that starts others is a barrier'],
  ['web pm2 job', 'other/other', 'so is a subgroup that starts others'],
  ['job job', 'other/other', 'no ancestor is classified'],
];
for (const [chain, expected, what] of chains) {
  test(`${what}: ${chain.replaceAll(' ', ' → ')} is in ${expected}`, () => {
    const { machine, pass, group } = watch();
    let task = machine.init;
    for (const name of chain.split(' ')) task = machine.fork(task, name);
    pass();
    assert.equal(group(task), expected);
    pass();
    assert.equal(group(task), expected, 'and stays');
  });
}

test('switched off, nothing is inherited', () => {
  const { machine, pass, group } = watch(new Machine(), false);
  const job = machine.fork(machine.fork(machine.init, 'web'), 'job');
  pass();
  assert.equal(group(job), 'other/other');
});

test('nothing is inherited from pid 1, whatever it is: orphans become its children', () => {
  const { machine, pass, group } = watch();
  machine.exec(machine.init, 'web');
  const job = machine.fork(machine.init, 'job');
  pass();
  assert.equal(group(job), 'other/other');
});

test('nothing crosses the border of a container, and a circle of parents ends', () => {
  const identity = { name: '', exe: '', argv: [], user: '', unit: '', podUid: '' };
  const treeProcess = (pid: number, rule: string, container: string): TreeProcess => ({
    pid,
    description: { group: 'web', subgroup: 'nginx', rule, identity: { ...identity, container } },
  });
  const child = treeProcess(9, 'none', 'c1');
  const [inside, outside, nobody] = [
    treeProcess(8, 'rule', 'c1'),
    treeProcess(7, 'rule', 'c2'),
    treeProcess(6, 'none', 'c1'),
  ];
  assert.equal(
    inheritanceSource(child, () => inside),
    inside,
  );
  assert.equal(
    inheritanceSource(child, () => outside),
    undefined,
  );
  assert.equal(
    inheritanceSource(child, () => nobody),
    undefined,
  );
});

test('the rule names the ancestor', () => {
  const { machine, pass, describe } = watch();
  const web = machine.fork(machine.init, 'web');
  const job = machine.fork(machine.fork(web, 'job'), 'job');
  pass();
  assert.equal(describe(job).rule, `inherited from PID ${web.pid} (rules#web)`);
});

test('an ancestor of a higher pid is read after its descendants', () => {
  const machine = new Machine(1000);
  machine.lastPid = 900;
  const web = machine.fork(machine.init, 'web');
  const parent = machine.fork(web, 'job');
  machine.now++;
  machine.lastPid = 10;
  const child = machine.fork(parent, 'job');
  const { pass, group } = watch(machine);
  pass();
  assert.ok(child.pid < parent.pid);
  assert.deepEqual([group(parent), group(child)], ['web/nginx', 'web/nginx']);
});

test('what was inherited is kept when the ancestors end', () => {
  const { machine, pass, group } = watch();
  const web = machine.fork(machine.init, 'web');
  const sh = machine.fork(web, 'sh');
  machine.now += 5000;
  const job = machine.fork(sh, 'job');
  pass();
  machine.exit(sh);
  machine.exit(web);
  machine.wait(web);
  machine.wait(machine.init);
  assert.equal(job.parent, machine.init);
  for (let times = 0; times < 3; times++) {
    pass();
    assert.equal(group(job), 'web/nginx');
  }
  const late = machine.fork(job, 'job');
  pass();
  assert.equal(group(late), 'web/nginx', 'and passed on');
});

test('an orphan that was never seen with its parent inherits nothing', () => {
  const { machine, pass, group } = watch();
  const web = machine.fork(machine.init, 'web');
  const job = machine.fork(web, 'job');
  machine.exit(web);
  machine.wait(machine.init);
  pass();
  assert.equal(group(job), 'other/other');
});

test('a pid that is used again is not the ancestor it was', () => {
  const machine = new Machine(30);
  const { pass, group } = watch(machine);
  const web = machine.fork(machine.init, 'web');
  pass();
  machine.exit(web);
  machine.wait(machine.init);
  machine.lastPid = web.pid - 1;
  const stranger = machine.fork(machine.init, 'job');
  const child = machine.fork(stranger, 'job');
  assert.equal(stranger.pid, web.pid);
  pass();
  assert.deepEqual([group(stranger), group(child)], ['other/other', 'other/other']);
});

test('exec: a copy of a script becomes its sleep and still inherits; with a rule of its own it no longer does', () => {
  const { machine, tracker, pass, group } = watch();
  const web = machine.fork(machine.init, 'web');
  const copy = machine.fork(web);
  pass();
  assert.equal(group(copy), 'web/nginx');
  machine.exec(copy, 'sleep');
  pass();
  assert.equal(group(copy), 'web/nginx', 'by inheritance now');
  const counters = tracker.groupCounters.of('web', 'nginx');
  assert.deepEqual([counters.started, counters.exited], [0, 0], 'it never left the group');
  machine.exec(copy, 'db');
  pass();
  assert.equal(group(copy), 'db/postgres');
  machine.exit(web);
  machine.wait(machine.init);
  machine.exec(copy, 'job');
  pass();
  assert.equal(group(copy), 'other/other', 'what it inherited once was given up');
});

test('nothing is inherited through an heir from an ancestor that became a shell', () => {
  const { machine, pass, group } = watch();
  const web = machine.fork(machine.init, 'web');
  const job = machine.fork(web, 'job');
  pass();
  machine.exec(web, 'sh');
  const late = machine.fork(job, 'job');
  pass();
  assert.deepEqual([group(web), group(job), group(late)], ['runtime/shell', 'web/nginx', 'other/other']);
});

test('a reload: heirs follow a living ancestor, keep the group of an ended one, and may get a rule of their own', () => {
  const { machine, tracker, pass, group } = watch();
  const [web, db] = [machine.fork(machine.init, 'web'), machine.fork(machine.init, 'db')];
  const [ofWeb, ofDb, known] = [machine.fork(web, 'job'), machine.fork(db, 'job'), machine.fork(web, 'tool')];
  pass();
  machine.exit(db);
  machine.wait(machine.init);
  pass();
  tracker.reclassify(rulesOf({ ...GROUPS, web: 'shop/front', db: 'shop/db', tool: 'shop/tool' }));
  pass();
  assert.deepEqual([group(ofWeb), group(ofDb), group(known)], ['shop/front', 'db/postgres', 'shop/tool']);
  tracker.reclassify(rulesOf({ init: 'system/init' }));
  pass();
  assert.deepEqual(
    [group(ofWeb), group(ofDb)],
    ['other/other', 'db/postgres'],
    'an ancestor without a rule has no group to inherit',
  );
  tracker.inherits = false;
  tracker.reclassify(rulesOf(GROUPS));
  pass();
  assert.deepEqual([group(ofWeb), group(ofDb)], ['other/other', 'other/other']);
});

test('a reload: an orphan follows the ancestor it had, for as long as its group may be inherited', () => {
  const { machine, tracker, pass, group } = watch();
  const web = machine.fork(machine.init, 'web');
  const sh = machine.fork(web, 'sh');
  const job = machine.fork(sh, 'job');
  pass();
  machine.exit(sh);
  machine.wait(web);
  assert.equal(job.parent, machine.init);
  tracker.reclassify(rulesOf({ ...GROUPS, web: 'shop/front' }));
  pass();
  assert.equal(group(job), 'shop/front');
  tracker.reclassify(rulesOf({ ...GROUPS, web: 'system/launcher' }));
  pass();
  assert.equal(group(job), 'other/other');
});

test('what an heir used before it was first seen counts in the group it inherits, not in other/other', () => {
  const { machine, tracker, pass } = watch();
  const web = machine.fork(machine.init, 'web');
  pass();
  const job = machine.fork(web, 'job');
  machine.spend(job, { user: 50 });
  pass();
  const counters = tracker.groupCounters.of('web', 'nginx');
  assert.deepEqual([counters.user, counters.started], [0.5, 1]);
  assert.deepEqual([...tracker.groupCounters].map(({ group }) => group).sort(), ['system', 'web']);
});

test('heirs that do not change are not described again', () => {
  const { machine, tracker, pass } = watch();
  const web = machine.fork(machine.init, 'web');
  for (let i = 0; i < 5; i++) machine.fork(web, 'job');
  pass();
  const before = tracker.living.map(({ description }) => description);
  pass();
  assert.ok(tracker.living.every(({ description }, index) => description === before[index]));
});

test('whatever processes do, each has a group, and heirs have that of a former ancestor', () => {
  const names = ['web', 'db', 'sh', 'sshd', 'job', 'job'];
  const deed = fc.record({
    what: fc.constantFrom('fork', 'fork', 'exec', 'exit', 'pass', 'reload'),
    of: fc.nat(40),
    name: fc.nat(5),
  });
  fc.assert(
    fc.property(fc.array(deed, { maxLength: 80 }), (deeds) => {
      const { machine, tracker, pass } = watch(new Machine(60));
      const belongs = new Set(['other/other', ...Object.values(GROUPS)]);
      for (const { what, of, name } of deeds) {
        const tasks = [...machine.tasks.values()];
        const task = tasks[of % tasks.length]!;
        if (what === 'fork' && tasks.length < 40) machine.fork(task, names[name]!);
        else if (what === 'exec' && task !== machine.init) machine.exec(task, names[name]!);
        else if (what === 'exit') {
          machine.exit(task);
          machine.wait(machine.init);
        } else if (what === 'reload') tracker.reclassify(rulesOf(GROUPS));
        else if (what === 'pass') pass();
      }
      pass();
      for (const {
        description,
        source,
        membership: { counters },
      } of tracker.living) {
        assert.ok(belongs.has(`${description.group}/${description.subgroup}`));
        assert.deepEqual([counters.group, counters.subgroup], [description.group, description.subgroup]);
        assert.equal(source !== undefined, description.rule.startsWith('inherited from PID '));
        if (source)
          assert.ok(description.rule.startsWith(`inherited from PID ${source.pid} `) && source.source === undefined);
        if (source) assert.ok(!['system', 'runtime', 'other'].includes(description.group), description.group);
      }
    }),
    { numRuns: 200 },
  );
});

test('barriers and transparent groups are names of the catalogue', () => {
  const known = new Set(shippedRules.flatMap(({ group, subgroup }) => [group, `${group}/${subgroup}`]));
  for (const name of [...INHERITANCE_BARRIERS, ...TRANSPARENT_GROUPS]) assert.ok(known.has(name), name);
});
