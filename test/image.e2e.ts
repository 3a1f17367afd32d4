// The images of a release are loaded and run by real container tools: skopeo, podman with crun, buildah.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { before, type TestContext, test } from 'node:test';
import { here } from '../scripts/release/node-binaries.ts';
import { Exporter, eventually, freePort, near, need, needRoot, scratch, startChildren } from './harness.ts';
import { artefacts, LIBRARIES, type Made, makeRelease, NAME, version } from './made-release.ts';
import { readTruth } from './proc-truth.ts';

const MIB = 2 ** 20;
const VARIANTS = ['', '-ptrace', '-io'] as const;
type Variant = (typeof VARIANTS)[number];

let made: Made;
before(() => {
  made = makeRelease(['image']);
});

const archive = (out: string, variant: Variant): string => `${out}/${NAME}-${version}${variant}.image-${here}.tar`;

test('skopeo finds the image sound, as an archive of OCI and of docker', (t) => {
  const out = artefacts(t, made);
  const paths = out && need(t, 'skopeo');
  if (!paths) return;
  for (const variant of VARIANTS) {
    // To copy, skopeo reads every blob and compares its digest.
    for (const kind of ['oci-archive', 'docker-archive'])
      execFileSync(paths.skopeo, ['copy', '--quiet', `${kind}:${archive(out, variant)}`, `dir:${scratch()}`]);
    const { Labels, Architecture } = JSON.parse(
      execFileSync(paths.skopeo, ['inspect', `oci-archive:${archive(out, variant)}`], { encoding: 'utf8' }),
    );
    assert.equal(Architecture, here);
    assert.equal(Labels['org.opencontainers.image.version'], version);
    assert.equal(Labels['org.opencontainers.image.created'], '2026-01-01T00:00:00Z');
  }
});

test('the list of what is inside names what is inside', (t) => {
  const out = artefacts(t, made);
  if (!out) return;
  const folder = scratch();
  execFileSync('tar', ['-xf', archive(out, '-io'), '-C', folder]);
  const [{ Layers }] = JSON.parse(readFileSync(`${folder}/manifest.json`, 'utf8'));
  for (const layer of Layers) execFileSync('tar', ['-xzf', `${folder}/${layer}`, '-C', folder]);
  const names = (text: string): string[] =>
    JSON.parse(text).components.map((component: { name: string }) => component.name);
  const inside = readFileSync(`${folder}/usr/share/doc/${NAME}/sbom.cdx.json`, 'utf8');
  assert.equal(readFileSync(`${out}/${NAME}-${version}.image-${here}.cdx.json`, 'utf8'), inside);
  const packages = readdirSync(`${folder}/var/lib/dpkg/status.d`);
  assert.deepEqual(names(inside).sort(), [...LIBRARIES, 'node', ...packages].sort());
  const notice = readFileSync(`${folder}/usr/share/doc/${NAME}/NOTICE`, 'utf8');
  for (const name of LIBRARIES) assert.match(notice, new RegExp(`^${name} \\d.* \\(`, 'm'));
  for (const name of packages) assert.ok(existsSync(`${folder}/usr/share/doc/${name}/copyright`), name);
  for (const path of ['bin', 'usr/sbin', 'usr/bin/sh']) assert.ok(!existsSync(`${folder}/${path}`), path);
});

test('buildah builds on the image', (t) => {
  const out = artefacts(t, made);
  const paths = out && needRoot(t) ? need(t, 'buildah') : undefined;
  if (!out || !paths) return;
  const store = scratch();
  const places = ['--root', `${store}/images`, '--runroot', `${store}/run`, '--storage-driver', 'vfs'];
  const run = (...args: string[]) =>
    execFileSync(paths.buildah, [...places, ...args], {
      encoding: 'utf8',
      env: { ...process.env, BUILDAH_ISOLATION: 'chroot' },
      stdio: ['ignore', 'pipe', 'pipe'],
    }).trim();
  t.after(() => run('rm', '--all'));
  const container = run('from', `oci-archive:${archive(out, '')}`);
  assert.match(run('run', container, '--', `/usr/bin/${NAME}`, '--version'), new RegExp(`^${NAME} ${version} `));
});

/** podman with images and containers of its own. */
class Podman {
  readonly #command: readonly string[];

  constructor(t: TestContext, podman: string) {
    const store = scratch();
    const places = ['--root', `${store}/images`, '--runroot', `${store}/run`, '--storage-driver', 'vfs'];
    const options = ['--cgroup-manager', 'cgroupfs', '--events-backend', 'none'];
    // crun refuses a host that has cgroups of both versions; in this mount namespace those of version 2 are not there.
    // And crun gives the null device, which is a container's standard input, to the container's user: it gets another one.
    const hide = 'umount /sys/fs/cgroup/unified 2>/dev/null; mount --bind "$0" /dev/null && exec "$@"';
    const nothing = `${store}/null`;
    execFileSync('mknod', ['--mode', '666', nothing, 'c', '1', '3']);
    const apart = ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', hide, nothing];
    this.#command = [...apart, podman, ...places, ...options];
    t.after(() => this.run('rm', '--force', '--all', '--time', '0'));
  }

  load(path: string): void {
    const { status, stderr } = this.run('load', '--quiet', '--input', path);
    assert.equal(status, 0, stderr);
  }

  /** A command line that ends in what podman is to do. */
  command(...args: string[]): string[] {
    return [...this.#command, ...args];
  }

  run(...args: string[]) {
    const [file, ...rest] = this.command(...args) as [string, ...string[]];
    return spawnSync(file, rest, { encoding: 'utf8' });
  }
}

/** Arguments of `podman run` for a variant, as docs/deployment.md has them; the rest is what this place asks for. */
function runArguments(variant: Variant, capabilities: readonly string[], name: string): string[] {
  const limits = ['--ulimit', 'nofile=4096:4096', '--ulimit', 'nproc=8192:8192'];
  return [
    ...['run', '--rm', '--name', name, '--network', 'host', '--cgroups', 'disabled', ...limits],
    ...['--volume', '/proc:/host/proc:ro', '--read-only', '--cap-drop', 'ALL'],
    ...capabilities.flatMap((one) => ['--cap-add', one]),
    ...['--security-opt', 'apparmor=unconfined', `localhost/${NAME}:${version}${variant}`, '--path-procfs=/host/proc'],
  ];
}

test('podman runs every variant without root and with a read-only image; each sees what its capabilities allow', {
  timeout: 300_000,
}, async (t) => {
  const out = artefacts(t, made);
  const paths = out && needRoot(t) ? need(t, 'podman', 'unshare', 'cc') : undefined;
  if (!out || !paths) return;
  const podman = new Podman(t, paths.podman);
  const pid = (await startChildren(t, 'private', 64)).pids[0]!;
  for (const [variant, capabilities] of [
    ['', []],
    ['-ptrace', ['SYS_PTRACE']],
    ['-io', ['SYS_PTRACE', 'DAC_READ_SEARCH']],
  ] as const) {
    podman.load(archive(out, variant));
    const port = await freePort();
    const name = `herakles${variant}`;
    const args = ['--bind', '127.0.0.1', '--port', String(port), '--process-io', '--cache-ttl=0s', '--smaps=exact'];
    const command = podman.command(...runArguments(variant, capabilities, name), ...args);
    const exporter = new Exporter(t, port, command, {});
    const seen = await eventually(() => {
      assert.ok(exporter.running, exporter.stderr);
      return exporter.scrape();
    }, 60_000);
    near(seen.value('herakles_mem_process_rss_bytes', { pid }), readTruth(pid)!.rss, MIB, 'RSS');
    const pss = seen.all('herakles_mem_process_pss_bytes', { pid })[0]?.value;
    const io = seen.all('herakles_io_process_read_bytes_total', { pid }).length;
    if (variant === '') assert.equal(pss, undefined);
    else near(pss, readTruth(pid)!.pss, MIB, `PSS by ${name}`);
    assert.equal(io, variant === '-io' ? 1 : 0, name);

    const inside = podman.run(
      ...['exec', name, `/usr/bin/${NAME}`, 'explain', String(pid), '--path-procfs=/host/proc'],
      `--url=${exporter.url}`,
    );
    assert.equal(inside.status, 0, inside.stderr);
    assert.match(inside.stdout, / after its last collection:$/m, 'it has asked the one that serves');
    assert.equal((await exporter.stop()).code, 0, exporter.stderr);
  }
});

test('podman does not start a variant whose capability is not added', (t) => {
  const out = artefacts(t, made);
  const paths = out && needRoot(t) ? need(t, 'podman', 'unshare') : undefined;
  if (!out || !paths) return;
  const podman = new Podman(t, paths.podman);
  podman.load(archive(out, '-ptrace'));
  const { status, stderr } = podman.run(...runArguments('-ptrace', [], 'refused'), '--version');
  assert.notEqual(status, 0);
  assert.match(stderr, /Operation not permitted/);
  const allowed = podman.run(...runArguments('-ptrace', ['SYS_PTRACE'], 'allowed'), '--version');
  assert.equal(allowed.status, 0, allowed.stderr);
});
