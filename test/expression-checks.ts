// What an independent reading of /proc expects of each of the 38 expressions, in the set-up of prometheus.e2e.ts.
// An answer is one scrape and one heartbeat old (two seconds at most): the tolerances allow for what happens meanwhile.

import assert from 'node:assert/strict';
import { near } from './harness.ts';
import { availableMemory, hostMemory, type Truth } from './proc-truth.ts';
import type { Series } from './prometheus-server.ts';
import type { Namespace } from './real-servers.ts';

export type Host = { namespace: Namespace; history: { time: number; truths: Truth[] }[] };
type Check = (result: Series[], host: Host) => void;
type Key = 'group' | 'subgroup';

const MIB = 2 ** 20;
/** The child that leaks, in bytes per second; nothing else in the namespace grows for long. */
const leak = 8 * MIB;
/** Seconds for which a process is new. */
export const youth = 20;

const programs: Record<string, [string, string]> = {
  postgres: ['db', 'postgres'],
  'redis-check-rdb': ['cache', 'redis'],
  'redis-server': ['cache', 'redis'],
  nginx: ['web', 'nginx'],
  memcached: ['cache', 'memcached'],
};

/** The subgroup of a process; undefined for the shell, the launchers and the exporter itself. */
function classOf({ pid, comm }: Truth, host: Host): [string, string] | undefined {
  const child = /^hk-(private|shared|leak|burn|worker|late)/.exec(comm)?.[1];
  return child ? ['test', child] : programs[host.namespace.program(pid)];
}

/** The known processes by the given labels. */
function classes(truths: Truth[], host: Host, keys: Key[]): Map<string, Truth[]> {
  const by = new Map<string, Truth[]>();
  for (const truth of truths) {
    const [group, subgroup] = classOf(truth, host) ?? [];
    if (!group || !subgroup) continue;
    const key = keys.map((label) => (label === 'group' ? group : subgroup)).join('/');
    by.set(key, [...(by.get(key) ?? []), truth]);
  }
  return by;
}

const total = (truths: Truth[], of: (truth: Truth) => number) => truths.reduce((sum, truth) => sum + of(truth), 0);
const mean = (truths: Truth[], of: (truth: Truth) => number) => total(truths, of) / truths.length;

/** What was known that number of seconds ago. */
function ago(host: Host, seconds: number): { time: number; byPid: Map<number, Truth> } {
  const wanted = Date.now() / 1000 - seconds;
  const found = host.history.findLast(({ time }) => time <= wanted) ?? host.history[0];
  assert.ok(found, 'nothing recorded yet');
  return { time: found.time, byPid: new Map(found.truths.map((truth) => [truth.pid, truth])) };
}

/** What each process gained each second over the last ten; absent for a process that was not there. */
function slope(host: Host, of: (truth: Truth) => number): (truth: Truth) => number | undefined {
  const { time, byPid } = ago(host, 10);
  const seconds = Date.now() / 1000 - time;
  return (truth) => {
    const then = byPid.get(truth.pid);
    return then && (of(truth) - of(then)) / seconds;
  };
}

const cores = (host: Host) => {
  const gained = slope(host, ({ cpuSeconds }) => cpuSeconds);
  return (truth: Truth) => gained(truth) ?? 0;
};

/** By labels: every known class is there, and its value is near the truth. */
function by(keys: Key[], expected: (truths: Truth[], host: Host) => number, tolerance: (key: string) => number): Check {
  return (result, host) => {
    const values = new Map(result.map(({ metric, value }) => [keys.map((key) => metric[key]).join('/'), value]));
    assert.equal(values.size, result.length, 'one series each');
    const known = classes(host.namespace.truths(), host, keys);
    assert.ok(known.size >= (keys.length === 1 ? 4 : 9), [...known.keys()].join(' '));
    for (const [key, truths] of known) near(values.get(key), expected(truths, host), tolerance(key), key);
  };
}

/** Tolerance in bytes: three seconds of the leak for the child that leaks, little for servers and children that hold still. */
const bytes = (key: string) => (/^test$|leak/.test(key) ? 3 * leak : 1.5 * MIB);
const footprint = (...keys: Key[]) => by(keys, (truths) => total(truths, ({ pss }) => pss), bytes);
const count = (...keys: Key[]) =>
  by(
    keys,
    (truths) => truths.length,
    () => 0,
  );
const percent = (...keys: Key[]) =>
  by(
    keys,
    (truths, host) => 100 * total(truths, cores(host)),
    () => 6,
  );

/** By process: one series for each process that has a value in the truth, and no other series. */
function each(
  expected: (host: Host) => (truth: Truth) => number | undefined,
  tolerance: (truth: Truth) => number,
): Check {
  return (result, host) => {
    const values = new Map(result.map(({ metric, value }) => [Number(metric.pid), value]));
    assert.equal(values.size, result.length, 'one series each');
    const value = expected(host);
    const known = host.namespace.truths().filter((truth) => value(truth) !== undefined && steady(truth));
    assert.ok(known.length > 10);
    for (const truth of known) near(values.get(truth.pid), value(truth)!, tolerance(truth), truth.comm);
    const all = new Set(host.namespace.truths().map(({ pid }) => pid));
    for (const pid of values.keys()) assert.ok(all.has(pid), `pid ${pid} is none of the namespace`);
  };
}

/** Not the exporter, whose heap comes and goes. */
const steady = ({ comm }: Truth) => !/node|MainThread|herakles/.test(comm);
const leaks = ({ comm }: Truth) => comm === 'hk-leak';
const late = ({ comm }: Truth) => comm === 'hk-late';

/** The ten largest, largest first: no process outside is larger than one inside. */
function top(of: (host: Host) => (truth: Truth) => number, slack: (truth: Truth) => number): Check {
  return (result, host) => {
    assert.equal(result.length, 10);
    const truths = host.namespace.truths();
    const value = of(host);
    const pids = new Set(result.map(({ metric }) => Number(metric.pid)));
    for (const { metric, value: shown } of result) {
      const truth = truths.find(({ pid }) => pid === Number(metric.pid));
      assert.ok(truth, `pid ${metric.pid} is none of the namespace`);
      if (steady(truth)) near(shown, value(truth), slack(truth), truth.comm);
    }
    const least = Math.min(...result.map((series) => series.value));
    for (const truth of truths.filter(({ pid }) => !pids.has(pid)))
      assert.ok(value(truth) <= least + slack(truth), `${truth.comm} belongs to the ten`);
  };
}

const byteSlack = (truth: Truth) => (leaks(truth) ? 3 * leak : MIB);
const topRss = top(
  () =>
    ({ rss }) =>
      rss,
  byteSlack,
);

/** One series without a process. */
const single = (expected: (host: Host) => number, tolerance: number | ((host: Host) => number)): Check => {
  return (result, host) => {
    assert.equal(result.length, 1);
    near(result[0]?.value, expected(host), typeof tolerance === 'number' ? tolerance : tolerance(host), 'the value');
  };
};

/** Exactly these processes. */
function exactly(which: (truth: Truth, host: Host) => boolean, value?: (truth: Truth) => number): Check {
  return (result, host) => {
    const truths = host.namespace.truths().filter((truth) => which(truth, host));
    assert.ok(truths.length > 0, 'the truth knows some');
    const pids = (list: { pid: number }[]) => list.map(({ pid }) => pid).sort((a, b) => a - b);
    assert.deepEqual(pids(result.map(({ metric }) => ({ pid: Number(metric.pid) }))), pids(truths));
    for (const series of value ? result : []) {
      const truth = truths.find(({ pid }) => pid === Number(series.metric.pid))!;
      near(series.value, value!(truth), MIB, truth.comm);
    }
  };
}

const rssSlope = (host: Host) => slope(host, ({ rss }) => rss);
/** deriv() is 0 for what holds still; for the leak it may be off by a tenth, since samples and steps do not coincide. */
const slopeSlack = (truth: Truth) => (leaks(truth) ? leak / 10 : leak / 50);
const settled = (host: Host) => {
  const then = ago(host, 14).byPid;
  return (truth: Truth) => then.has(truth.pid);
};

export const checks: Record<string, Check> = {
  'Aggregation rules: total memory by group': footprint('group'),
  'Aggregation rules: total memory by subgroup': footprint('group', 'subgroup'),
  'Aggregation rules: process count by group': count('group'),
  'Aggregation rules: average memory per process by subgroup': by(
    ['group', 'subgroup'],
    (truths) => mean(truths, ({ rss }) => rss),
    bytes,
  ),
  'Aggregation rules: total CPU by group': percent('group'),
  'Aggregation rules: memory growth rate': each(
    (host) => (truth) => (settled(host)(truth) ? rssSlope(host)(truth) : undefined),
    slopeSlack,
  ),
  'Alerting metrics: top 10 memory consumers': topRss,
  'Alerting metrics: processes exceeding thresholds': single(
    (host) => host.namespace.truths().filter(({ rss }) => rss > 2 ** 30).length,
    0,
  ),
  'Alerting metrics: processes with high CPU': single(() => 0, 0),
  'Memory: top 10 processes by RSS': topRss,
  'Memory: top 10 processes by USS': top(
    () =>
      ({ uss }) =>
        uss,
    byteSlack,
  ),
  'Memory: usage by group': footprint('group'),
  'Memory: usage by subgroup': footprint('group', 'subgroup'),
  'Memory: percentage of total': (result, host) => {
    assert.ok(result.every(({ metric }) => metric.instance === '127.0.0.1'));
    const ratio = ({ metric, value }: Series) => ({ metric, value: (value / 100) * hostMemory() });
    footprint('group')(result.map(ratio), host);
  },
  'Memory: growth in bytes per minute': (result, host) => {
    const perSecond = result.map(({ metric, value }) => ({ metric, value: value / 60 }));
    checks['Aggregation rules: memory growth rate']!(perSecond, host);
  },
  'Memory: growth percentage over 1 hour': each(
    (host) => (truth) => {
      const then = ago(host, 11).byPid.get(truth.pid);
      return then && settled(host)(truth) ? ((truth.rss - then.rss) / then.rss) * 100 : undefined;
    },
    (truth) => (leaks(truth) ? 20 : 5),
  ),
  'Memory: shared ratio': each(
    () =>
      ({ rss, uss }) =>
        ((rss - uss) / rss) * 100,
    () => 5,
  ),
  'CPU: top 10 processes': top(
    (host) => (truth) => 100 * cores(host)(truth),
    () => 6,
  ),
  'CPU: usage by group': percent('group'),
  'CPU: usage by subgroup': percent('group', 'subgroup'),
  'CPU: time rate': each(
    (host) => (truth) => (settled(host)(truth) ? cores(host)(truth) : undefined),
    () => 0.05,
  ),
  'CPU: processes above 50 %': (result, host) => {
    exactly(({ comm }) => comm === 'hk-burn')(result, host);
    near(result[0]?.value, 75, 6, 'the one that burns');
  },
  'CPU: average per subgroup': by(
    ['group', 'subgroup'],
    (truths, host) => 100 * mean(truths, cores(host)),
    () => 6,
  ),
  'Discovery: processes per group': count('group'),
  'Discovery: processes per subgroup': count('group', 'subgroup'),
  'Discovery: all of one subgroup': exactly(
    ({ pid }, host) => host.namespace.program(pid) === 'postgres',
    ({ uss }) => uss,
  ),
  'Discovery: by name pattern': exactly(
    ({ comm }) => comm.startsWith('hk-worker-'),
    ({ uss }) => uss,
  ),
  'Discovery: new processes': (result, host) => {
    const ages = host.namespace.truths().map((truth) => ({ ...truth, age: Date.now() / 1000 - truth.start }));
    assert.ok(
      ages.every(({ age }) => Math.abs(age - youth) > 2),
      'wait until it is clear who is new',
    );
    const young = ages.filter(({ age }) => age < youth);
    assert.ok(young.some(late) && young.length < ages.length, 'one that is new, and others');
    const pids = (list: number[]) => list.sort((a, b) => a - b);
    assert.deepEqual(pids(result.map(({ metric }) => Number(metric.pid))), pids(young.map(({ pid }) => pid)));
  },
  'Capacity: projected memory in 24 hours': each(
    (host) => (truth) => {
      const growth = settled(host)(truth) ? rssSlope(host)(truth) : undefined;
      return growth === undefined ? undefined : truth.rss + growth * 86_400;
    },
    (truth) => slopeSlack(truth) * 86_400,
  ),
  'Capacity: memory headroom': single(availableMemory, () => 0.03 * hostMemory()),
  'Capacity: days until memory exhaustion': single(
    () => availableMemory() / (leak * 86_400),
    () => 0.25 * (availableMemory() / (leak * 86_400)),
  ),
  'Subgroups: pre-aggregated memory': by(['group', 'subgroup'], (truths) => total(truths, ({ rss }) => rss), bytes),
  'Subgroups: top by memory': (result, host) => {
    assert.equal(result.length, 10);
    const shown = new Map(result.map(({ metric, value }) => [`${metric.group}/${metric.subgroup}`, value]));
    const least = Math.min(...shown.values());
    for (const [key, truths] of classes(host.namespace.truths(), host, ['group', 'subgroup'])) {
      const expected = total(truths, ({ pss }) => pss);
      if (shown.has(key)) near(shown.get(key), expected, bytes(key), key);
      else assert.ok(expected <= least + bytes(key), `${key} belongs to the ten`);
    }
    assert.ok(shown.has('test/private') && shown.has('test/leak') && shown.has('cache/redis'));
  },
  'Subgroups: CPU time sum': by(
    ['group', 'subgroup'],
    (truths) => total(truths, ({ cpuSeconds }) => cpuSeconds),
    (key) => (key === 'test/burn' ? 2.5 : 1),
  ),
  'Dashboard: memory by group': footprint('group'),
  'Dashboard: total memory': single((host) => total(host.namespace.truths(), ({ pss }) => pss), 3 * leak + 10 * MIB),
  'Dashboard: top 10': topRss,
  'Storage optimization: memory by group': footprint('group'),
};
