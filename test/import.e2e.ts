// Configurations of process-exporter in every usual form, run by the real process-exporter, and by the bundle with the
// rules that it makes of them: over the same real processes, every group has the same number of members.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { Exposition } from './exposition-text.ts';
import { childProgram, eventually, freePort, need, needRoot, root, runBundle, Started, scratch } from './harness.ts';
import { type Namespace, startNamespace } from './real-servers.ts';

const folder = `${root}test/process-exporter`;

/** Name, argv[0] and further arguments of the children; child.c puts some of its own between the latter two. */
const fleet: [comm: string, argv0: string, ...rest: string[]][] = [
  ['nginx', 'nginx: master process /usr/sbin/nginx'],
  ['nginx', 'nginx: worker process'],
  ['nginx', 'nginx: worker process'],
  ['bash', '-bash'],
  ['bash', 'bash', '-l'],
  ['sh', 'sh', '-c', 'begin\nthe end'],
  ['postgres', '/usr/lib/postgresql/15/bin/postgres', '-D', '/srv/pg/main'],
  ['postgres', '/usr/lib/postgresql/15/bin/postgres', '-D', '/srv/pg/other'],
  ['postgres', 'postgres: 15/main: checkpointer '],
  ['java', '/usr/bin/java', '-Xmx1g', '-jar', '/opt/shop/checkout.jar'],
  ['java', 'java', '-cp', 'x', 'org.apache.kafka.Kafka', 'server.properties'],
  ['java', '/opt/jdk/bin/java', '-Dapp=search', 'com.acme.Search'],
  ['java', '/opt/jdk/bin/java', '-Dapp=orders', 'com.acme.Orders'],
  ['python3', 'python3', '/srv/app.py', '--worker'],
  ['gunicorn: maste', 'gunicorn: master [app]'],
  ['redis-server', '/usr/bin/redis-server *:6379'],
  ['clickhouse-serv', '/usr/bin/clickhouse-server', '--config=x'],
  ['prometheus', '/usr/local/bin/prometheus', '--config.file=/etc/p.yml'],
  ['we[i]rd*', './we[i]rd*'],
  ['node', 'node', '/srv/api/server.js'],
  ['upstart', '/sbin/upstart', '--user'],
  ['gvim', 'gvim', 'notes'],
  ['4711', './4711'],
];

interface Shape {
  /** Names of groups in process-exporter and here, where many become one or the name differs a little. */
  readonly renamed?: readonly (readonly [RegExp, string])[];
  /** The notes, one expression each. There is none for a shape that is imported as it is. */
  readonly notes?: readonly RegExp[];
}

/** For every file of the folder. */
const shapes: Readonly<Record<string, Shape>> = {
  'commands.yml': {
    renamed: [
      [/^-bash$/, 'bash'],
      [/^nginx: worker process$/, 'nginx'],
    ],
    notes: [/:3: is named after ExeBase in process-exporter/, /:6: is named after ExeBase in process-exporter/],
  },
  'programs.yml': { notes: [/:10: exe "\/usr\/bin\/clickhouse-server" is left out: process-exporter uses the later/] },
  'selectors.yml': {
    renamed: [[/^(\/usr\/local\/bin\/prometheus):.*/, '$1:(Config)']],
    notes: [/:5: has one group for each \.Matches\.Config in process-exporter/],
  },
  'services.yml': {},
  'found-text.yml': { notes: [/:6: is named after Matches in process-exporter/] },
  'all-expressions.yml': {},
  'captures.yml': {
    renamed: [
      [/^java:checkout$/, 'java:(Jar)'],
      [/^java:(?:search|orders)$/, 'java:(App)'],
    ],
    notes: [
      /:3: has one group for each \.Matches\.Jar in process-exporter/,
      /:6: has one group for each \.Matches\.App in process-exporter/,
    ],
  },
  'owners.yml': {
    renamed: [
      [/:root$/, ':(Username)'],
      [/^java-\d+$/, 'java-(PID)'],
      [/ of \/.*$/, ' of (0)'],
    ],
    notes: [
      /each \.Username in process-exporter.*label user/,
      /each \.PID in process-exporter.*label pid/,
      /each index \.Cgroups 0 in process-exporter/,
    ],
  },
  'first-wins.yml': {},
  'go-expressions.yml': {},
  'corners.yml': {
    notes: [
      /:3: matches nothing in process-exporter/,
      /:5: comm "clickhouse-server" is longer/,
      /:5: matches nothing in process-exporter/,
      /:7: exe "\/usr\/bin\/java" is left out/,
    ],
  },
  'the-rest.yml': { notes: [/:5: takes every process, so the catalogue/, /:7: never matches in process-exporter/] },
  'titles.yml': {},
  'templates.yml': { notes: [/:8: is named after Comm in process-exporter/] },
  'everything.yml': { notes: [/:3: takes every process, so the catalogue/] },
};

async function startFleet(t: TestContext, namespace: Namespace): Promise<void> {
  const launch = 'name=$1 argv0=$2; shift 2; exec -a "$argv0" "$0" name "$name" 1 "$@"';
  const started = fleet.map(([comm, ...argv]) => {
    const hex = Buffer.from(comm).toString('hex');
    return new Started(t, [...namespace.enter, 'bash', '-c', launch, childProgram(), hex, ...argv]);
  });
  await Promise.all(started.map((child) => child.line('ready')));
}

const CHILDREN = '-children=true';

/** Members of each group, as process-exporter counts them. */
async function theirs(t: TestContext, program: string, namespace: Namespace, flags: string[]) {
  const port = await freePort();
  const plain = ['-threads=false', '-gather-smaps=false', ...(flags.includes(CHILDREN) ? [] : ['-children=false'])];
  const listen = `-web.listen-address=127.0.0.1:${port}`;
  const exporter = new Started(t, [program, `-procfs=${namespace.proc}`, listen, ...plain, ...flags]);
  const page = await eventually(async () => (await fetch(`http://127.0.0.1:${port}/metrics`)).text());
  await exporter.kill();
  const samples = new Exposition(page).all('namedprocess_namegroup_num_procs');
  return new Map(samples.filter(({ value }) => value > 0).map(({ labels, value }) => [labels.groupname!, value]));
}

interface Scan {
  groups: { group: string; subgroup: string; processes: number }[];
  processes: { name: string }[];
}

async function ours(t: TestContext, namespace: Namespace, rules: string, ...flags: string[]): Promise<Scan> {
  const file = `${scratch()}/imported.toml`;
  writeFileSync(file, rules);
  const run = await runBundle(t, ['scan', '--json', '--path-procfs', namespace.proc, '--subgroups', file, ...flags]);
  assert.equal(run.code, 0, `${run.stderr}\n${rules}`);
  return JSON.parse(run.stdout) as Scan;
}

const imported = ({ groups }: Scan) =>
  groups.filter(({ group, processes }) => group === 'process-exporter' && processes > 0);

/** Counts under the names they have here, sorted. */
function counted(pairs: Iterable<readonly [string, number]>, renamed: Shape['renamed'] = []): [string, number][] {
  const sums = new Map<string, number>();
  for (const [name, value] of pairs) {
    const here = renamed.reduce((text, [from, to]) => text.replace(from, to), name);
    sums.set(here, (sums.get(here) ?? 0) + value);
  }
  return [...sums].sort(([a], [b]) => (a < b ? -1 : 1));
}

test('configurations of process-exporter', async (t) => {
  const servers = needRoot(t) && need(t, 'process-exporter', 'unshare', 'cc');
  if (!servers) return;
  const peer = servers['process-exporter'];
  const namespace = await startNamespace(t);
  await startFleet(t, namespace);

  const files = readdirSync(folder).sort();
  assert.deepEqual(files, [...Object.keys(shapes), 'every-command.yml'].sort());

  for (const [file, { renamed, notes = [] }] of Object.entries(shapes)) {
    await t.test(`${file}: the same processes in every group`, async (t) => {
      const path = `${folder}/${file}`;
      const run = await runBundle(t, ['import', 'process-exporter', path]);
      assert.equal(run.code, 0, run.stderr);
      const there = await theirs(t, peer, namespace, [`-config.path=${path}`]);
      const here = imported(await ours(t, namespace, run.stdout));
      assert.ok(here.length > 0, 'a shape that matches no process would show nothing');
      assert.deepEqual(
        counted(here.map(({ subgroup, processes }) => [subgroup, processes])),
        counted(there, renamed),
        run.stdout,
      );
      const said = run.stderr.split('\n').filter(Boolean);
      assert.match(said.pop()!, /^Next: save these rules as \/etc\/herakles\/subgroups\.toml/);
      assert.equal(said.length, notes.length, run.stderr);
      for (const [i, note] of notes.entries()) assert.match(said[i]!, note);
      for (const note of said) assert.ok(run.stdout.includes(`# ${note}`), note);
    });
  }

  await t.test('every-command.yml: the catalogue decides, and the label name has the same groups', async (t) => {
    const path = `${folder}/every-command.yml`;
    const run = await runBundle(t, ['import', 'process-exporter', path]);
    assert.match(
      run.stderr,
      /:3: takes every process in process-exporter, with one group for each \.Comm; left out.*label name/,
    );
    assert.match(run.stderr, /\nNext: there is no rule to save.*"herakles-node-exporter explain --all".*\n$/);
    const there = await theirs(t, peer, namespace, [`-config.path=${path}`]);
    const scan = await ours(t, namespace, run.stdout);
    assert.deepEqual(imported(scan), []);
    assert.deepEqual(counted(scan.processes.map(({ name }) => [name, 1])), counted(there));
  });

  await t.test('-children: inherit_group, for children that the catalogue does not know', async (t) => {
    const family = new Started(t, [...namespace.enter, childProgram(), 'fleet', '3', '1', '4', 'acme-']);
    await family.line('ready');
    const path = `${scratch()}/process-exporter.yml`;
    writeFileSync(path, 'process_names:\n  - name: family\n    comm: [hk-launcher]\n');
    const { stdout } = await runBundle(t, ['import', 'process-exporter', path]);
    for (const [flags, members] of [[[CHILDREN], 4] as const, [[], 1] as const]) {
      const there = await theirs(t, peer, namespace, [`-config.path=${path}`, ...flags]);
      assert.equal(there.get('family'), members);
      const here = imported(await ours(t, namespace, stdout, ...flags.map(() => '--inherit-group')));
      assert.deepEqual(
        here.map(({ subgroup, processes }) => [subgroup, processes]),
        [['family', members]],
      );
    }
  });

  await t.test('-procnames and -namemapping', async (t) => {
    const names = [
      'bash,nginx,nobody',
      'python3,/([^/ ]+)\\.py,java,-jar ((.+)/checkout)\\.jar,bash,(--never)',
    ] as const;
    const run = await runBundle(t, ['import', 'process-exporter', '--procnames', names[0], '--namemapping', names[1]]);
    const there = await theirs(t, peer, namespace, ['-procnames', names[0], '-namemapping', names[1]]);
    assert.deepEqual([...there.keys()].sort(), ['java:/opt/shop/checkout', 'nginx', 'python3:app']);
    const here = imported(await ours(t, namespace, run.stdout));
    assert.deepEqual(
      counted(here.map(({ subgroup, processes }) => [subgroup, processes])),
      counted(there, [[/^(java|python3):.*/, '$1:(Capture)']]),
    );
  });

  await t.test('a file that process-exporter refuses is refused, with the line', async (t) => {
    const item = (text: string) => `process_names:\n  - ${text}\n`;
    const refused: [config: string, says: RegExp][] = [
      [item('bash'), /:2: must have keys/],
      [item('comm: bash'), /:2: comm must be a list/],
      [item('name: x'), /:2: has neither comm nor exe nor cmdline/],
      [item('name: "{{.Comm"\n    comm: [a]'), /:2: has a name whose {{ is not closed/],
      [item('comm: [[a]]'), /:2: comm must be a string/],
      [item('comm: [a'), /is not valid YAML/],
      ['process_names: {}\n', /:1: has no list process_names/],
    ];
    for (const [config, says] of refused) {
      const path = `${scratch()}/process-exporter.yml`;
      writeFileSync(path, config);
      assert.throws(() => execFileSync(peer, [`-config.path=${path}`], { stdio: 'pipe', timeout: 60_000 }), {
        status: 1,
      });
      const run = await runBundle(t, ['import', 'process-exporter', path]);
      assert.equal(run.code, 2, config);
      assert.match(run.stderr, says);
      assert.equal(run.stdout, '');
    }
  });
});
