// The Kubernetes component that pins the BPF program: its init container's command with the user and the capabilities that
// the manifest gives it, then the exporter as the manifest runs it. No kubelet takes part.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, rmdirSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { bundle, eventually, need, root, scratch, startExporter } from './harness.ts';
import { whyNotPinned } from './pinned-program.ts';

interface Container {
  readonly image: string;
  readonly args: string[];
  readonly securityContext: {
    readonly runAsUser: number;
    readonly capabilities: { readonly add: string[]; readonly drop: string[] };
  };
  readonly volumeMounts: { readonly name: string; readonly mountPath: string; readonly readOnly?: boolean }[];
}

interface Pod {
  readonly hostPID: boolean;
  readonly securityContext: { readonly runAsUser: number };
  readonly initContainers: [Container];
  readonly containers: [Container];
}

/** The pods of the base with the component. */
function podOf(kubectl: string): Pod {
  const folder = scratch();
  cpSync(`${root}deploy/kubernetes`, folder, { recursive: true });
  writeFileSync(`${folder}/kustomization.yaml`, 'resources: [base]\ncomponents: [components/bpf]\n');
  const text = execFileSync(kubectl, ['kustomize', folder], { encoding: 'utf8' });
  const manifests = parseAllDocuments(text).map((document) => document.toJS());
  return manifests.find(({ kind }) => kind === 'DaemonSet').spec.template.spec;
}

test('the init container pins the program, and the exporter of the pod uses it', async (t) => {
  const reason = whyNotPinned();
  if (reason) return t.skip(reason);
  const paths = need(t, 'kubectl', 'setpriv');
  if (!paths) return;
  const { hostPID, securityContext, initContainers, containers } = podOf(paths.kubectl);
  const [init] = initContainers;
  const [exporter] = containers;
  assert.equal(hostPID, true);
  const mountOf = ({ volumeMounts }: Container) => volumeMounts.find(({ name }) => name === 'bpf')!;
  const { mountPath } = mountOf(init);
  assert.deepEqual([mountOf(exporter).mountPath, mountOf(exporter).readOnly], [mountPath, true]);
  assert.deepEqual(init.securityContext.capabilities.drop, ['ALL']);

  // The node's bpffs, closed as systemd mounts it; kubelet makes the folder and mounts it into both containers.
  const [node, place] = [scratch(), scratch()];
  execFileSync('mount', ['-t', 'bpf', '-o', 'mode=0700', 'bpf', node]);
  mkdirSync(`${node}/herakles`, { mode: 0o755 });
  execFileSync('mount', ['--bind', `${node}/herakles`, place]);
  const file = `${place}/tasks`;
  t.after(() => {
    unlinkSync(file);
    execFileSync('umount', ['--lazy', place]);
    rmdirSync(`${node}/herakles`);
    execFileSync('umount', ['--lazy', node]);
  });

  const { runAsUser, capabilities } = init.securityContext;
  const limits = [
    ...['--reuid', String(runAsUser), '--clear-groups', '--no-new-privs', '--inh-caps=-all'],
    `--bounding-set=-all,${capabilities.add.map((name) => `+${name.toLowerCase()}`).join(',')}`,
  ];
  const args = init.args.map((one) => one.replace(mountPath, place));
  execFileSync(paths.setpriv, [...limits, '--', process.execPath, bundle, ...args]);
  const user = securityContext.runAsUser;
  assert.deepEqual([statSync(file).gid, statSync(file).mode & 0o777], [user, 0o440]);

  const started = await startExporter(t, {
    uid: user,
    args: ['--interval', '1s', '--source', 'bpf', '--bpf-file', file],
  });
  await eventually(async () => {
    const seen = await started.scrape();
    assert.deepEqual(
      seen.all('herakles_exporter_source_info').map(({ labels }) => labels.source),
      ['bpf'],
    );
  }, 60_000);
});
