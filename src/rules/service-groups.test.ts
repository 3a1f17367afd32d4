import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Machine, type Task } from '../../test/machine.ts';
import { parseCgroup } from '../process/placement.ts';
import { Tracker } from '../process/tracker.ts';
import { Unreadable } from '../process/unreadable.ts';
import { UNKNOWN_IDENTITY } from './identity.ts';
import { ServiceGroups } from './service-groups.ts';

const ID = '9f2c'.repeat(16);
/** The identity of a process in a cgroup, as the exporter reads it. */
const inCgroup = (path: string) => ({ ...UNKNOWN_IDENTITY, ...parseCgroup(`0::${path}\n`) });

function groups(max: number) {
  const services = new ServiceGroups();
  services.max = max;
  const of = (path: string): string | undefined => services.of(inCgroup(path))?.subgroup;
  return { services, of, unit: (name: string) => of(`/system.slice/${name}.service`) };
}

// biome-ignore format: one line a case
const paths: [path: string, subgroup: string | undefined, what: string][] = [
  ['/system.slice/shop.service', 'shop', 'a service'],
  ['/shop.slice/shop-api.slice/shop-api.service', 'shop-api', 'in a slice of its own'],
  ['/system.slice/shop.service/workers/3', 'shop', 'below its own delegated cgroup'],
  ['/system.slice/shop.service/postgresql.service', 'shop', 'a delegated cgroup cannot take the name of another service'],
  ['/system.slice/system-worker.slice/worker@3.service', 'worker', 'an instance of a template'],
  ['/system.slice/system-x.slice/x@my\\x2ddisk.service', 'x', 'an instance with an escaped name'],
  ['/system.slice/my\\x2dshop.service', 'my\\x2dshop', 'the name is as systemctl has it'],
  ['/system.slice/run-r0123456789abcdef0123456789abcdef.service', 'run', 'systemd-run names units at random'],
  ['/system.slice/run-u42.service', 'run', 'or by a number'],
  ['/system.slice/run-p12-i13.service', 'run', 'or by two'],
  ['/system.slice/run-parts.service', 'run-parts', 'a service whose name begins like that'],
  ['/system.slice/dbus-:1.7-org.example.Name@0.service', 'org.example.Name', 'started by the bus'],
  [`/system.slice/${'a'.repeat(200)}.service`, 'a'.repeat(100), 'a long name is cut'],
  ['/system.slice/.service', undefined, 'no name'],
  ['/system.slice/data.mount', undefined, 'another kind of unit'],
  ['/init.scope', undefined, 'init'],
  ['/user.slice/user-1000.slice/session-3.scope', undefined, 'a login'],
  ['/user.slice/user-1000.slice/user@1000.service/app.slice/shop.service', undefined, 'the user chose the name'],
  ['/user.slice/user-1000.slice/user@1000.service/init.scope', undefined, "the user's manager"],
  ['/user.slice/user-1000.slice/user@1000.service/shop', undefined, 'a cgroup that the user made'],
  [`/system.slice/docker-${ID}.scope/system.slice/shop.service`, undefined, "the container's root chose the name"],
  [`/system.slice/shop.service/docker-${ID}.scope`, undefined, 'a container that a service made'],
  ['/', undefined, 'the root'],
];
for (const [path, subgroup, what] of paths)
  test(`${what}: ${path.slice(0, 80)} is ${subgroup ? `service/${subgroup.slice(0, 20)}` : 'not a service'}`, () => {
    assert.equal(groups(64).of(path), subgroup);
  });

test('names that were given stay, and what comes later than the limit shares service/other', () => {
  const { services, unit } = groups(2);
  assert.deepEqual(['a', 'b', 'c', 'a', 'd', 'b'].map(unit), ['a', 'b', 'other', 'a', 'other', 'b']);
  services.max = 1;
  assert.deepEqual(['a', 'b', 'c'].map(unit), ['a', 'b', 'other'], 'a lower limit takes no name away');
  services.max = 3;
  assert.deepEqual(['c', 'd'].map(unit), ['c', 'other'], 'a higher limit gives one more');
  services.max = 0;
  assert.deepEqual(['a', 'b'].map(unit), [undefined, undefined], 'switched off');
});

test('a declared group has its name, however many services were seen before it', () => {
  const { services, unit } = groups(1);
  assert.equal(unit('a'), 'a');
  services.reserve([
    ['service', 'shop'],
    ['db', 'postgres'],
  ]);
  assert.deepEqual(['shop', 'postgres', 'a'].map(unit), ['shop', 'other', 'a']);
});

test('one service has one classification: a thousand processes allocate none', () => {
  const { services } = groups(64);
  const shop = services.of(inCgroup('/system.slice/shop.service'));
  assert.equal(services.of(inCgroup('/system.slice/shop.service')), shop);
});

/** Rules that know the processes named `web`; a tracker of a machine with named services. */
function watch(inherits: boolean) {
  const machine = new Machine();
  const units = { pageSize: 4096, ticksPerSecond: 100 };
  const classify = ({ name }: { name: string }) =>
    name === 'web'
      ? { group: 'web', subgroup: 'nginx', rule: 'rules#web' }
      : { group: 'other', subgroup: 'other', rule: 'none' };
  const tracker = new Tracker(machine, units, new Unreadable(), classify);
  tracker.inherits = inherits;
  tracker.services.max = 64;
  const pass = () => {
    machine.now += 1000;
    for (const _ of tracker.pass({ forks: machine.forks, bootTime: 0, cpus: 1 }));
  };
  const of = ({ pid }: Task) => {
    const { group, subgroup, rule } = tracker.living.find((proc) => proc.pid === pid)!.description;
    return `${group}/${subgroup} ${rule}`;
  };
  return { machine, tracker, pass, of, classify };
}

test('rules decide first, then inheritance, then the unit; a reload that switches services off applies', () => {
  for (const inherits of [false, true]) {
    const { machine, tracker, pass, of, classify } = watch(inherits);
    const inUnit = (parent: Task, name: string) =>
      Object.assign(machine.fork(parent, name), { cgroup: '0::/system.slice/shop.service\n' });
    const api = inUnit(machine.init, 'api');
    const helper = inUnit(api, 'helper');
    const web = inUnit(machine.init, 'web');
    const job = inUnit(web, 'job');
    pass();
    assert.equal(of(api), 'service/shop none; system unit');
    assert.equal(of(helper), 'service/shop none; system unit', 'nothing is inherited from a service: its unit says it');
    assert.equal(of(web), 'web/nginx rules#web');
    const inherited = `web/nginx inherited from PID ${web.pid} (rules#web)`;
    assert.equal(of(job), inherits ? inherited : 'service/shop none; system unit');
    tracker.services.max = 0;
    tracker.reclassify(classify);
    pass();
    assert.deepEqual([of(api), of(web)], ['other/other none', 'web/nginx rules#web']);
  }
});
