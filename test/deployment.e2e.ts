// Every file in deploy/ that installs the exporter is run by the program it is for, or under the limits that it sets:
// kubectl and Kubernetes' schemas, systemd's tools and the unit's system call filter, a real image build.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { chownSync, copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { basename, dirname } from 'node:path';
import { type TestContext, test } from 'node:test';
import { validate as validateDockerfile } from 'dockerfile-utils';
import { parseAllDocuments } from 'yaml';
import { debianRoot } from './debian-root.ts';
import {
  bundle,
  eventually,
  freePort,
  near,
  need,
  needRoot,
  nobody,
  root,
  Started,
  scratch,
  startChildren,
  startExporter,
} from './harness.ts';
import { readTruth } from './proc-truth.ts';

const MIB = 2 ** 20;
const kubernetes = `${root}deploy/kubernetes`;
const unitPath = `${root}deploy/systemd/herakles-node-exporter.service`;

type Manifest = { apiVersion: string; kind: string; metadata: { name: string; namespace?: string } };
type SecurityContext = { runAsUser: number; runAsNonRoot: boolean };
type Container = {
  image: string;
  args: string[];
  securityContext: { allowPrivilegeEscalation: boolean; capabilities: { add: string[]; drop: string[] } };
  volumeMounts: { name: string; mountPath: string; readOnly: boolean }[];
};
type DaemonSet = Manifest & {
  spec: { template: { spec: { hostPID: boolean; securityContext: SecurityContext; containers: [Container] } } };
};

/** What kubectl makes of a folder, or of an overlay with components. */
function render(kubectl: string, overlay: string, components: string[] = []): Manifest[] {
  let folder = `${kubernetes}/${overlay}`;
  if (components.length > 0) {
    folder = `${root}.cache/kustomization`;
    mkdirSync(folder, { recursive: true });
    const lines = components.map((name) => `- ../../deploy/kubernetes/components/${name}`);
    const text = `resources:\n- ../../deploy/kubernetes/${overlay}\ncomponents:\n${lines.join('\n')}\n`;
    writeFileSync(`${folder}/kustomization.yaml`, text);
  }
  const text = execFileSync(kubectl, ['kustomize', folder], { encoding: 'utf8' });
  return parseAllDocuments(text).map((document) => document.toJS() as Manifest);
}

function renderings(kubectl: string): Map<string, Manifest[]> {
  const overlays = ['base', ...readdirSync(`${kubernetes}/overlays`).map((name) => `overlays/${name}`)];
  const components = readdirSync(`${kubernetes}/components`);
  const found = new Map<string, Manifest[]>();
  for (const overlay of overlays) {
    found.set(overlay, render(kubectl, overlay));
    for (const component of components) found.set(`${overlay} + ${component}`, render(kubectl, overlay, [component]));
  }
  return found;
}

/** The package that has the types and schemas of a kind, made from Kubernetes' and the operator's own definitions. */
const moduleOf = ({ apiVersion, kind }: Manifest): string =>
  `${apiVersion.startsWith('monitoring.coreos.com') ? '@kubernetes-models/prometheus-operator' : 'kubernetes-models'}/${apiVersion}/${kind}`;

/** What tsc says of a manifest's fields. The schemas let an unknown field pass; the types do not. */
function unknownFields(manifests: Manifest[]): string {
  const folder = `${root}.cache/manifests`;
  mkdirSync(folder, { recursive: true });
  const lines = manifests.map((manifest, index) => {
    const { kind } = manifest;
    const type = `import type { I${kind} as T${index} } from '${moduleOf(manifest)}';`;
    return `${type}\nexport const m${index}: T${index} = ${JSON.stringify(manifest, null, 1)};`;
  });
  writeFileSync(`${folder}/manifests.ts`, lines.join('\n'));
  const compilerOptions = { strict: true, noEmit: true, skipLibCheck: true, module: 'nodenext', types: [] };
  writeFileSync(`${folder}/tsconfig.json`, JSON.stringify({ compilerOptions, files: ['manifests.ts'] }));
  return spawnSync(`${root}node_modules/.bin/tsc`, ['-p', folder, '--pretty', 'false'], { encoding: 'utf8' }).stdout;
}

test('manifests: every overlay renders and fits its schema', async (t) => {
  const kubectl = need(t, 'kubectl')?.kubectl;
  if (!kubectl) return;
  const rendered = renderings(kubectl);
  for (const [name, manifests] of rendered) {
    for (const manifest of manifests) {
      const { [manifest.kind]: Model } = await import(moduleOf(manifest));
      assert.doesNotThrow(() => new Model(manifest).validate(), `${name}: ${manifest.kind} ${manifest.metadata.name}`);
      assert.ok(
        manifest.kind === 'Namespace' || manifest.metadata.namespace === 'herakles',
        `${name}: ${manifest.kind}`,
      );
    }
    t.diagnostic(`${name}: ${manifests.map(({ kind }) => kind).join(', ')}`);
  }
  assert.equal(unknownFields([...rendered.values()].flat()), '');

  const wrong = structuredClone(rendered.get('base')!.find(({ kind }) => kind === 'DaemonSet')!) as DaemonSet;
  Object.assign(wrong.spec.template.spec, { hostPid: true });
  assert.match(unknownFields([wrong]), /hostPid/, 'a misspelt field is found');
});

test('manifests: the kustomization of the guide renders', (t) => {
  const kubectl = need(t, 'kubectl')?.kubectl;
  if (!kubectl) return;
  const guide = readFileSync(`${root}docs/deployment.md`, 'utf8');
  const [, block] = /^```yaml kustomization\n([\s\S]*?)^```$/m.exec(guide)!;
  const folder = `${root}.cache/guide`;
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/kustomization.yaml`, block!.replaceAll('- deploy/', '- ../../deploy/'));
  const text = execFileSync(kubectl, ['kustomize', folder], { encoding: 'utf8' });
  assert.match(text, /image: images\.example\.com\/herakles-node-exporter:0\.2\.0-io$/m);
});

/** Runs its arguments as the DaemonSet's container would: its own pid namespace, the node's /proc read-only. */
function contain(daemonSet: DaemonSet, proc: string): string[] {
  const { hostPID, securityContext, containers } = daemonSet.spec.template.spec;
  const { allowPrivilegeEscalation, capabilities } = containers[0].securityContext;
  assert.deepEqual([hostPID, capabilities.drop, containers[0].volumeMounts[0]?.readOnly], [false, ['ALL'], true]);
  const user = String(securityContext.runAsUser);
  const limits = [
    ...['--reuid', user, '--regid', String(nobody), '--clear-groups', '--inh-caps=-all'],
    `--bounding-set=-all,${capabilities.add.map((name) => `+${name.toLowerCase()}`).join(',')}`,
  ];
  // The last step is an exec: only then does the process lose the capabilities of the process that set its limits.
  const locked = allowPrivilegeEscalation ? '' : 'setpriv --no-new-privs -- ';
  const mounts = `mount --bind /proc ${proc} && mount -o remount,bind,ro ${proc} && mount -t proc proc /proc`;
  const script = `${mounts} && exec setpriv ${limits.join(' ')} -- ${locked}"$@"`;
  return ['unshare', '--mount', '--pid', '--fork', '--kill-child', 'sh', '-c', script, 'sh'];
}

/** A copy of node that carries file capabilities, as the image's does; without any, a plain copy. */
function nodeWith(setcap: string, capabilities: string[]): string {
  const node = `${scratch()}/node`;
  copyFileSync(process.execPath, node);
  const names = capabilities.map((name) => `cap_${name.toLowerCase()}`).join(',');
  if (names) execFileSync(setcap, [`${names}=ep`, node]);
  return node;
}

/** What an exporter in the DaemonSet's container sees of a root process. */
async function seenFrom(t: TestContext, daemonSet: DaemonSet, node: string, pid: number) {
  const proc = scratch();
  const { args } = daemonSet.spec.template.spec.containers[0];
  const given = args.filter((one) => !one.startsWith('--path-procfs'));
  assert.equal(given.length, args.length - 1, 'the manifest says where the procfs of the node is');
  const more = [`--path-procfs=${proc}`, '--process-io', '--cache-ttl=0s', '--smaps=exact'];
  const exporter = await startExporter(t, { args: [...given, ...more], wrap: contain(daemonSet, proc), node });
  const seen = await exporter.scrape();
  near(seen.value('herakles_mem_process_rss_bytes', { pid }), readTruth(pid)!.rss, MIB / 4, 'RSS');
  return {
    pss: seen.all('herakles_mem_process_pss_bytes', { pid })[0]?.value,
    io: seen.all('herakles_io_process_read_bytes_total', { pid }).length,
  };
}

test('manifests: the capabilities of the DaemonSet are those under which PSS is seen', async (t) => {
  const paths = needRoot(t) ? need(t, 'kubectl', 'setcap', 'setpriv', 'unshare', 'cc') : undefined;
  if (!paths) return;
  const pid = (await startChildren(t, 'private', 64)).pids[0]!;
  const daemonSetOf = (...components: string[]) =>
    render(paths.kubectl, 'base', components).find(({ kind }) => kind === 'DaemonSet') as DaemonSet;
  const capabilitiesOf = (daemonSet: DaemonSet) =>
    daemonSet.spec.template.spec.containers[0].securityContext.capabilities.add;

  const base = daemonSetOf();
  assert.deepEqual(capabilitiesOf(base), ['SYS_PTRACE']);
  const inBase = await seenFrom(t, base, nodeWith(paths.setcap, capabilitiesOf(base)), pid);
  assert.ok(Math.abs((inBase.pss ?? 0) - readTruth(pid)!.pss) < MIB && inBase.pss! > 64 * MIB, `PSS ${inBase.pss}`);
  assert.equal(inBase.io, 0, 'storage I/O needs more');

  const plainNode = await seenFrom(t, base, nodeWith(paths.setcap, []), pid);
  assert.equal(plainNode.pss, undefined, 'Kubernetes gives a non-root process no capability by itself');
  const locked = structuredClone(base);
  locked.spec.template.spec.containers[0].securityContext.allowPrivilegeEscalation = false;
  const inLocked = await seenFrom(t, locked, nodeWith(paths.setcap, capabilitiesOf(base)), pid);
  assert.equal(inLocked.pss, undefined, 'no_new_privs turns file capabilities off');

  const storage = daemonSetOf('storage-io');
  const inStorage = await seenFrom(t, storage, nodeWith(paths.setcap, capabilitiesOf(storage)), pid);
  assert.ok(inStorage.pss! > 64 * MIB && inStorage.io === 1);
  const asRoot = await seenFrom(t, daemonSetOf('root'), nodeWith(paths.setcap, []), pid);
  assert.ok(asRoot.pss! > 64 * MIB, 'user 0 needs no file capability');
});

test('manifests: what an intruder in the container can do to the node', async (t) => {
  const paths = needRoot(t) ? need(t, 'kubectl', 'setcap', 'setpriv', 'unshare', 'cc') : undefined;
  if (!paths) return;
  const pid = (await startChildren(t, 'private', 1)).pids[0]!;
  const proc = scratch();
  const [secret, victim] = [`${scratch()}/secret`, scratch()];
  writeFileSync(secret, 'secret', { mode: 0o600 });
  const tries = [
    `readFileSync('${proc}/${pid}/root${secret}')`,
    `writeFileSync('${proc}/${pid}/root${victim}/written', '')`,
    `openSync('${proc}/${pid}/root/proc/${pid}/mem', 'r+')`,
    `process.kill(${pid}, 0)`,
  ];
  const attempt = tries.map((code) => `try { ${code}; said.push('done') } catch (e) { said.push(e.code) }`).join('\n');
  const script = `const { openSync, readFileSync, writeFileSync } = require('node:fs'), said = [];${attempt};console.log('said', ...said)`;
  const intrude = async (daemonSet: DaemonSet, capabilities: string[]): Promise<string[]> => {
    const node = nodeWith(paths.setcap, capabilities);
    return new Started(t, [...contain(daemonSet, proc), node, '-e', script], { cwd: '/' }).line('said');
  };
  const daemonSetOf = (...components: string[]) =>
    render(paths.kubectl, 'base', components).find(({ kind }) => kind === 'DaemonSet') as DaemonSet;
  assert.deepEqual(await intrude(daemonSetOf(), ['SYS_PTRACE']), ['EACCES', 'EACCES', 'EACCES', 'ESRCH']);
  assert.deepEqual(await intrude(daemonSetOf('root'), []), ['done', 'done', 'done', 'ESRCH'], 'user 0 owns files');
});

/** The system calls that the unit's filter allows, as systemd expands its sets. */
function allowedCalls(analyze: string, unit: string): string[] {
  const expand = (name: string): string[] => {
    if (!name.startsWith('@')) return [name];
    const lines = execFileSync(analyze, ['syscall-filter', '--no-pager', name], { encoding: 'utf8' })
      .split('\n')
      .slice(1);
    return lines.flatMap((line) => (/^\s+[@\w]/.test(line) ? expand(line.trim()) : []));
  };
  const allowed = new Set(expand('@default'));
  for (const [, not, names] of unit.matchAll(/^SystemCallFilter=(~?)(.*)$/gm))
    for (const name of names!.split(' ').flatMap(expand)) not ? allowed.delete(name) : allowed.add(name);
  return [...allowed];
}

/** Loads a filter as systemd does, then runs what follows: arguments are calls, address families, command. */
const FILTER = `
import json, os, seccomp, sys
calls, families = json.loads(sys.argv[1]), json.loads(sys.argv[2])
only = seccomp.SyscallFilter(seccomp.ERRNO(1))
for call in calls:
    if call == 'socket':
        for family in families: only.add_rule(seccomp.ALLOW, call, seccomp.Arg(0, seccomp.EQ, family))
    elif seccomp.resolve_syscall(seccomp.Arch(), call) >= 0: only.add_rule(seccomp.ALLOW, call)
only.load()
os.execvp(sys.argv[3], sys.argv[3:])
`;

test('unit: systemd finds nothing wrong with it, and little exposed', (t) => {
  const analyze = need(t, 'systemd-analyze')?.['systemd-analyze'];
  if (!analyze) return;
  const run = (...args: string[]) => spawnSync(analyze, args, { encoding: 'utf8' });
  const dir = scratch();
  const names = readdirSync(dirname(unitPath)).filter((name) => /\.(?:service|socket)$/.test(name));
  const here = (unit: string) =>
    unit.replaceAll(/=\/usr\/bin\/node .*herakles\.cjs/g, `=${process.execPath} ${bundle}`);
  for (const name of names) writeFileSync(`${dir}/${name}`, here(readFileSync(`${dirname(unitPath)}/${name}`, 'utf8')));
  const verified = run('verify', ...names.map((name) => `${dir}/${name}`));
  assert.deepEqual([verified.status, verified.stderr], [0, '']);
  const most = { 'herakles-node-exporter': 2.5, 'herakles-bpf': 4 }; // the second one has the mounts of the host
  for (const [name, exposed] of Object.entries(most)) {
    const { stdout } = run('security', '--offline=true', '--no-pager', `${dir}/${name}.service`);
    const exposure = Number(/exposure level for .*: ([\d.]+)/.exec(stdout)?.[1]);
    t.diagnostic(`exposure of ${name}: ${exposure}`);
    assert.ok(exposure <= exposed, stdout);
  }
});

test('unit: the exporter works under its capabilities and its system call filter', async (t) => {
  const paths = needRoot(t) ? need(t, 'systemd-analyze', 'seccomp', 'setpriv', 'cc') : undefined;
  if (!paths) return;
  const unit = readFileSync(unitPath, 'utf8');
  const [, ambient] = /^AmbientCapabilities=(.*)$/m.exec(unit)!;
  assert.equal(/^CapabilityBoundingSet=(.*)$/m.exec(unit)![1], ambient);
  const capabilities = ambient!.toLowerCase().replaceAll('cap_', '+').replaceAll(' ', ',');
  const families = { AF_UNIX: 1, AF_INET: 2, AF_INET6: 10 } as Record<string, number>;
  const [, named] = /^RestrictAddressFamilies=(.*)$/m.exec(unit)!;
  const calls = allowedCalls(paths['systemd-analyze'], unit);
  for (const call of ['ptrace', 'process_vm_readv', 'mount', 'bpf', 'setuid']) assert.ok(!calls.includes(call), call);
  const wrap = [
    ...['setpriv', '--reuid', String(nobody), '--regid', String(nobody), '--clear-groups', '--no-new-privs'],
    ...[
      `--inh-caps=-all,${capabilities}`,
      `--ambient-caps=-all,${capabilities}`,
      `--bounding-set=-all,${capabilities}`,
    ],
    ...['--', paths.seccomp, '-c', FILTER, JSON.stringify(calls)],
    JSON.stringify(named!.split(' ').map((name) => families[name])),
  ];
  const pid = (await startChildren(t, 'private', 64)).pids[0]!;
  const exporter = await startExporter(t, { wrap, args: ['--cache-ttl=0s', '--smaps=exact', '--process-io'] });
  const status = readFileSync(`/proc/${exporter.pid}/status`, 'utf8');
  assert.match(status, /^Seccomp:\s+2$/m, 'the filter is in force');
  const seen = await exporter.scrape();
  assert.ok(seen.value('herakles_mem_process_pss_bytes', { pid }) > 64 * MIB);
  assert.equal(seen.all('herakles_io_process_read_bytes_total', { pid }).length, 1);
  assert.ok(seen.all('herakles_group_oom_kills_total').length > 0, "the kernel's log can be read");
  assert.equal((await exporter.stop()).code, 0);

  const folder = scratch(); // stands for RuntimeDirectory
  chownSync(folder, nobody, nobody);
  const [command, ...args] = [...wrap, process.execPath, bundle, `--web.listen-address=unix:${folder}/metrics.sock`];
  const started = new Started(t, [command!, ...args], { cwd: folder });
  await eventually(async () =>
    assert.match(await overSocket(`${folder}/metrics.sock`), /^herakles_mem_group_rss_bytes/m),
  );
  await started.kill();
});

/** The metrics from a Unix socket. */
const overSocket = (socketPath: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const asked = request({ socketPath, path: '/metrics' }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part) => (text += part));
      response.on('end', () => resolve(text));
    });
    asked.on('error', reject).end();
  });

test('socket unit: systemd listens, and the exporter takes over the socket', async (t) => {
  if (!need(t, 'systemd-analyze')) return;
  const port = await freePort();
  assert.match(readFileSync(unitPath.replace('.service', '.socket'), 'utf8'), /^ListenStream=9215$/m);
  const dropIn = readFileSync(`${root}deploy/systemd/socket-activation.conf`, 'utf8');
  const [, setting] = /^Environment=(.*)$/m.exec(dropIn)!;
  const activate = ['systemd-socket-activate', '--listen', `127.0.0.1:${port}`, '--setenv', setting!];
  const started = new Started(t, [...activate, process.execPath, bundle], { cwd: scratch(), env: { HOME: '/' } });
  await eventually(async () => {
    if (!started.running) throw new Error(started.stderr);
    const response = await fetch(`http://127.0.0.1:${port}/metrics`);
    assert.match(await response.text(), /^herakles_exporter_build_info/m);
  }, 20_000);
});

/** A base image as the Dockerfile expects one: Debian, and node in /usr/local/bin. Made once. */
function baseImage(build: (...args: string[]) => string, mmdebstrap: string): string {
  const folder = `${root}.cache/image`;
  const debian = basename(debianRoot(mmdebstrap));
  copyFileSync(process.execPath, `${folder}/node`);
  const path = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
  writeFileSync(`${folder}/Dockerfile`, `FROM scratch\nADD ${debian} /\nCOPY node /usr/local/bin/node\nENV ${path}\n`);
  build('build', '--tag', 'node-base', folder);
  return 'localhost/node-base';
}

test('image: the Dockerfile is sound', () => {
  const dockerfile = readFileSync(`${root}deploy/docker/Dockerfile`, 'utf8');
  assert.deepEqual(
    validateDockerfile(dockerfile).map(({ message }) => message),
    [],
  );
  assert.match(dockerfile, /^USER 65534:65534$/m);
});

test('image: it builds, is small, has no shell, and sees PSS as a user', { timeout: 300_000 }, async (t) => {
  const paths = needRoot(t) ? need(t, 'buildah', 'mmdebstrap', 'cc') : undefined;
  if (!paths) return;
  const store = scratch();
  const env = { ...process.env, BUILDAH_ISOLATION: 'chroot' };
  const places = ['--root', `${store}/images`, '--runroot', `${store}/run`];
  const build = (...args: string[]) =>
    execFileSync(paths.buildah, [...places, ...args], {
      encoding: 'utf8',
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      maxBuffer: 2 ** 28,
    });
  t.after(() => {
    build('rm', '--all');
    spawnSync('umount', ['--lazy', `${store}/images/overlay`]);
  });
  const base = baseImage(build, paths.mmdebstrap);
  const files = ['--file', 'deploy/docker/Dockerfile', '--ignorefile', 'deploy/docker/Dockerfile.dockerignore'];
  const image = (capabilities: string): string => {
    const given = ['--build-arg', `NODE_IMAGE=${base}`, '--build-arg', `CAPABILITIES=${capabilities}`];
    return build('build', '--quiet', ...files, ...given, root).trim();
  };
  const [plain, ptrace] = [image(''), image('cap_sys_ptrace=ep')];
  const { config } = JSON.parse(build('inspect', '--type', 'image', ptrace)).OCIv1;
  assert.equal(config.User, '65534:65534');

  const pid = (await startChildren(t, 'private', 64)).pids[0]!;
  const pss = async (id: string): Promise<number | undefined> => {
    const container = build('from', id).trim();
    const mounted = build('mount', container).trim();
    const size = Number(execFileSync('du', ['-sm', mounted], { encoding: 'utf8' }).split('\t')[0]);
    t.diagnostic(`${size} MiB, ${readdirSync(`${mounted}/usr/local/bin`)}, ${readdirSync(mounted)}`);
    assert.ok(size < 150 && !existsSync(`${mounted}/bin/sh`) && !existsSync(`${mounted}/usr/bin`));
    const limits = ['--cap-add', 'CAP_SYS_PTRACE', '--volume', '/proc:/host/proc:ro'];
    const args = ['scan', '--json', '--path-procfs=/host/proc'];
    const seen = JSON.parse(build('run', ...limits, container, '--', ...config.Entrypoint, ...args));
    return seen.processes.find((one: { pid: number }) => one.pid === pid).pss_bytes;
  };
  assert.equal(await pss(plain), undefined);
  assert.ok((await pss(ptrace))! > 64 * MIB);
});
