import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { catalogue } from '../../catalogue/index.ts';
import { Machine, type Task } from '../../test/machine.ts';
import { Tracker } from '../process/tracker.ts';
import { Unreadable } from '../process/unreadable.ts';
import { INHERITANCE_BARRIERS, inheritanceSource, TRANSPARENT_GROUPS, type TreeProcess } from './inheritance.ts';
import { parseCatalogue } from './rule-parser.ts';

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

/** A machine whose processes are looked at by a tracker that lets groups be inherited. */
function watch(machine = new Machine(), inherits = true) {
  const host = { units: { pageSize: 4096, ticksPerSecond: 100 }, bootTime: 0, users: new Map() };
  const tracker = new Tracker(machine, host, new Unreadable(), rulesOf(GROUPS));
  tracker.inherits = inherits;
  const pass = () => {
    machine.now += 1000;
    for (const _ of tracker.pass(machine.forks));
  };
  const who = ({ pid }: Task) => tracker.living.find((proc) => proc.pid === pid)!.description;
  const group = (task: Task) => `${who(task).group}/${who(task).subgroup}`;
  return { machine, tracker, pass, who, group };
}

// biome-ignore format: one line a case
const chains: [chain: string, group: string, what: string][] = [
  ['web job', 'web/nginx', 'its parent is classified'],
  ['web job job job', 'web/nginx', 'so is an ancestor further up'],
  ['web db job', 'db/postgres', 'the nearest counts'],
  ['web sh job', 'web/nginx', 'a shell stands between'],
  ['web sh sudo sh job', 'web/nginx', 'so does sudo'],
  ['job', 'other/other', 'a child of init'],
  ['sh job', 'other/other', 'a shell passes nothing of its own on'],
  ['sshd sh job', 'other/other', 'a login session'],
  ['web sshd sh job', 'other/other', 'what starts others is a border'],
  ['web pm2 job', 'other/other', 'so is a subgroup that does'],
  ['job job', 'other/other', 'nobody is classified'],
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

test('pid 1 passes nothing on, whatever it is: orphans become its children', () => {
  const { machine, pass, group } = watch();
  machine.exec(machine.init, 'web');
  const job = machine.fork(machine.init, 'job');
  pass();
  assert.equal(group(job), 'other/other');
});

test('a container is a border, and a tree without end has one', () => {
  const identity = { name: '', exe: '', argv: [], user: '', unit: '', podUid: '' };
  const kin = (pid: number, rule: string, container: string): TreeProcess => ({
    pid,
    description: { group: 'web', subgroup: 'nginx', rule, identity: { ...identity, container } },
  });
  const child = kin(9, 'none', 'c1');
  const [inside, outside, nobody] = [kin(8, 'rule', 'c1'), kin(7, 'rule', 'c2'), kin(6, 'none', 'c1')];
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

test('the rule says from whom', () => {
  const { machine, pass, who } = watch();
  const web = machine.fork(machine.init, 'web');
  const job = machine.fork(machine.fork(web, 'job'), 'job');
  pass();
  assert.equal(who(job).rule, `inherited from PID ${web.pid} (rules#web)`);
});

test('an ancestor of a higher pid is met after its descendants', () => {
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

test('what was inherited is kept when the ancestors end, and after a second look', () => {
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

test('exec: a copy of the script becomes its sleep; a heir that becomes known is itself', () => {
  const { machine, tracker, pass, group } = watch();
  const web = machine.fork(machine.init, 'web');
  const copy = machine.fork(web);
  pass();
  assert.equal(group(copy), 'web/nginx');
  machine.exec(copy, 'sleep');
  pass();
  assert.equal(group(copy), 'web/nginx', 'by inheritance now');
  const ledger = tracker.groupCounters.of('web', 'nginx');
  assert.deepEqual([ledger.started, ledger.exited], [0, 0], 'it never left the group');
  machine.exec(copy, 'db');
  pass();
  assert.equal(group(copy), 'db/postgres');
  machine.exit(web);
  machine.wait(machine.init);
  machine.exec(copy, 'job');
  pass();
  assert.equal(group(copy), 'other/other', 'what it inherited once was given up');
});

test('a reload: heirs follow their ancestor, keep what one that is gone left them, and may get a rule of their own', () => {
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
    'an ancestor no rule knows has nothing',
  );
  tracker.inherits = false;
  tracker.reclassify(rulesOf(GROUPS));
  pass();
  assert.deepEqual([group(ofWeb), group(ofDb)], ['other/other', 'other/other']);
});

test('a reload: an orphan follows the ancestor it had, for as long as that one passes its group on', () => {
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

test('what a heir used before it was first seen is its group’s, not that of others', () => {
  const { machine, tracker, pass } = watch();
  const web = machine.fork(machine.init, 'web');
  pass();
  const job = machine.fork(web, 'job');
  machine.spend(job, { user: 50 });
  pass();
  const ledger = tracker.groupCounters.of('web', 'nginx');
  assert.deepEqual([ledger.user, ledger.started], [0.5, 1]);
  assert.deepEqual([...tracker.groupCounters].map(({ group }) => group).sort(), ['system', 'web']);
});

test('nothing is found out again about heirs that do not change', () => {
  const { machine, tracker, pass } = watch();
  const web = machine.fork(machine.init, 'web');
  for (let i = 0; i < 5; i++) machine.fork(web, 'job');
  pass();
  const before = tracker.living.map(({ description: who }) => who);
  pass();
  assert.ok(tracker.living.every(({ description: who }, index) => who === before[index]));
});

test('in any life, every process has a group, and its heirs are where an ancestor they had was', () => {
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
      for (const { description: who, source, counters: ledger } of tracker.living) {
        assert.ok(belongs.has(`${who.group}/${who.subgroup}`));
        assert.deepEqual([ledger.group, ledger.subgroup], [who.group, who.subgroup]);
        assert.equal(source !== undefined, who.rule.startsWith('inherited from PID '));
        if (source) assert.ok(who.rule.startsWith(`inherited from PID ${source.pid} `) && source.source === undefined);
        if (source) assert.ok(!['system', 'runtime', 'other'].includes(who.group), who.group);
      }
    }),
    { numRuns: 200 },
  );
});

test('the groups that pass nothing on are those of the catalogue', () => {
  const rules = parseCatalogue(catalogue);
  const known = new Set(rules.flatMap(({ group, subgroup }) => [group, `${group}/${subgroup}`]));
  for (const name of [...INHERITANCE_BARRIERS, ...TRANSPARENT_GROUPS]) assert.ok(known.has(name), name);
});
