import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Placement, parseCgroup } from './placement.ts';

const ID = '9f2c4a5b6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718';
const ID2 = '0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef';
const UID = '2f6c9a10-8b3d-4c1e-9f57-0a1b2c3d4e5f';
const UID_ = UID.replaceAll('-', '_');

/** A set-up, its text, and the fields that are known; the others are empty. */
const cases: [what: string, text: string, place: Partial<Placement>][] = [
  ['empty', '', {}],
  ['not a cgroup file', '\n:::\nrubbish\n0:\n', {}],
  ['a path of slashes and dots', '0::/../..//../', {}],
  ['inside a cgroup namespace', '0::/\n', {}],
  ['seen from inside a namespace', '0::/../../system.slice/cron.service', { unit: 'cron.service' }],
  ['pid 1', '0::/init.scope', { unit: 'init.scope' }],
  ['v2 service', '0::/system.slice/nginx.service\n', { unit: 'nginx.service' }],
  ['v2 service that is gone', '0::/system.slice/nginx.service (deleted)\n', { unit: 'nginx.service' }],
  [
    'v2 instance of a template in a slice of its own',
    '0::/system.slice/system-postgresql.slice/postgresql@15-main.service\n',
    { unit: 'postgresql@15-main.service' },
  ],
  [
    'v2 service with delegated groups below it',
    '0::/system.slice/docker.service/supervisor',
    { unit: 'docker.service' },
  ],
  [
    'escaped unit',
    '0::/system.slice/system-systemd\\x2dfsck.slice/systemd-fsck@dev-disk-by\\x2duuid-1.service',
    { unit: 'systemd-fsck@dev-disk-by\\x2duuid-1.service' },
  ],
  [
    'a unit whose name has the dash that systemd escaped',
    '0::/system.slice/x@my\\x2ddisk.service',
    { unit: 'x@my\\x2ddisk.service' },
  ],
  ['another unit', '0::/system.slice/x@my-disk.service', { unit: 'x@my-disk.service' }],
  ['control characters stay escaped', '0::/a\\x0a\\x7f.service', { unit: 'a\\x0a\\x7f.service' }],
  ['mount helper', '0::/system.slice/mnt-data.mount', { unit: 'mnt-data.mount' }],
  ['login session', '0::/user.slice/user-1000.slice/session-3.scope', { unit: 'session-3.scope' }],
  ['user manager itself', '0::/user.slice/user-1000.slice/user@1000.service/init.scope', { unit: 'user@1000.service' }],
  [
    'desktop application',
    '0::/user.slice/user-1000.slice/user@1000.service/app.slice/app-gnome-firefox-4242.scope',
    { unit: 'user@1000.service/app-gnome-firefox-4242.scope' },
  ],
  [
    'user service',
    '0::/user.slice/user-1000.slice/user@1000.service/app.slice/syncthing.service',
    { unit: 'user@1000.service/syncthing.service' },
  ],
  [
    'v1',
    '12:pids:/system.slice/cron.service\n4:memory:/system.slice/cron.service\n1:name=systemd:/system.slice/cron.service\n',
    { unit: 'cron.service' },
  ],
  [
    'hybrid',
    '4:memory:/\n1:name=systemd:/system.slice/ssh.service\n0::/system.slice/ssh.service\n',
    { unit: 'ssh.service' },
  ],
  ['v1 without systemd', '3:memory:/\n2:cpu,cpuacct:/\n1:name=openrc:/nginx\n', {}],
  ['docker, cgroupfs, v1', `12:memory:/docker/${ID}\n1:name=systemd:/docker/${ID}\n`, { container: ID }],
  ['docker, cgroupfs, v2', `0::/docker/${ID}\n`, { container: ID }],
  ['docker, systemd, v2', `0::/system.slice/docker-${ID}.scope\n`, { container: ID }],
  [
    'docker, rootless',
    `0::/user.slice/user-1000.slice/user@1000.service/user.slice/docker-${ID}.scope`,
    { container: `user@1000.service/${ID}` },
  ],
  [
    'docker, hybrid where v2 only knows the daemon',
    `4:memory:/docker/${ID}\n1:name=systemd:/docker/${ID}\n0::/system.slice/containerd.service\n`,
    { container: ID },
  ],
  ['systemd inside docker', `0::/docker/${ID}/system.slice/nginx.service`, { container: ID, unit: 'nginx.service' }],
  ['docker in docker', `0::/docker/${ID}/docker/${ID2}`, { container: ID }],
  ['systemd path form', `0::/system.slice:docker:${ID}`, { container: ID }],
  ['podman', `0::/machine.slice/libpod-${ID}.scope/container`, { container: ID }],
  [
    'podman, rootless',
    `0::/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-${ID}.scope/container`,
    { container: `user@1000.service/${ID}` },
  ],
  ['podman, cgroupfs', `0::/libpod_parent/libpod-${ID}`, { container: ID }],
  ['podman pod', `0::/machine.slice/machine-libpod_pod_${ID2}.slice/libpod-${ID}.scope/container`, { container: ID }],
  ["podman's conmon is outside", `0::/machine.slice/libpod-conmon-${ID}.scope`, { unit: `libpod-conmon-${ID}.scope` }],
  ['lxc', '0::/lxc/web01/init.scope', { container: 'web01', unit: 'init.scope' }],
  ['lxc 4', '0::/lxc.payload/web01/system.slice/ssh.service', { container: 'web01', unit: 'ssh.service' }],
  ['lxd', '0::/lxc.payload.web-01/system.slice/ssh.service', { container: 'web-01', unit: 'ssh.service' }],
  ["lxc's monitor is outside", '0::/lxc.monitor.web01', {}],
  ['proxmox', '0::/lxc/101/ns/system.slice/cron.service', { container: '101', unit: 'cron.service' }],
  ['docker in lxc', `0::/lxc/web01/docker/${ID}`, { container: 'web01' }],
  [
    'nspawn',
    '0::/machine.slice/systemd-nspawn@deb.service/payload/system.slice/cron.service',
    { container: 'deb', unit: 'cron.service' },
  ],
  [
    "nspawn's supervisor is outside",
    '0::/machine.slice/systemd-nspawn@deb.service/supervisor',
    { unit: 'systemd-nspawn@deb.service' },
  ],
  ['nspawn from a shell', '0::/machine.slice/machine-deb.scope/payload', { container: 'deb' }],
  [
    'libvirt virtual machine',
    '0::/machine.slice/machine-qemu\\x2d1\\x2dvm1.scope/libvirt/emulator',
    { unit: 'machine-qemu\\x2d1\\x2dvm1.scope' },
  ],
  [
    'kubernetes, cgroupfs, burstable',
    `11:memory:/kubepods/burstable/pod${UID}/${ID}\n1:name=systemd:/kubepods/burstable/pod${UID}/${ID}\n`,
    { container: ID, podUid: UID },
  ],
  ['kubernetes, cgroupfs, guaranteed', `0::/kubepods/pod${UID}/${ID}`, { container: ID, podUid: UID }],
  [
    'kubernetes, systemd, containerd',
    `0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${UID_}.slice/cri-containerd-${ID}.scope`,
    { container: ID, podUid: UID },
  ],
  [
    'kubernetes, systemd, guaranteed, docker',
    `0::/kubepods.slice/kubepods-pod${UID_}.slice/docker-${ID}.scope`,
    { container: ID, podUid: UID },
  ],
  [
    'kubernetes, CRI-O',
    `0::/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod${UID_}.slice/crio-${ID}.scope`,
    { container: ID, podUid: UID },
  ],
  [
    "CRI-O's conmon is in the pod, outside the container",
    `0::/kubepods.slice/kubepods-pod${UID_}.slice/crio-conmon-${ID}.scope`,
    { unit: `crio-conmon-${ID}.scope`, podUid: UID },
  ],
  [
    'kubernetes, containerd with a systemd path under cgroupfs',
    `1:name=systemd:/kubepods-burstable-pod${UID_}.slice:cri-containerd:${ID}`,
    { container: ID, podUid: UID },
  ],
  ['static pod', `0::/kubepods/burstable/pod${ID.slice(0, 32)}/${ID}`, { container: ID, podUid: ID.slice(0, 32) }],
  [
    'kind',
    `0::/docker/${ID}/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-burstable.slice/kubelet-kubepods-burstable-pod${UID_}.slice/cri-containerd-${ID2}.scope`,
    { container: ID },
  ],
  ['docker in a pod', `0::/kubepods/burstable/pod${UID}/${ID}/docker/${ID2}`, { container: ID, podUid: UID }],
  [
    'systemd in a pod',
    `0::/kubepods/pod${UID}/${ID}/system.slice/cron.service`,
    { container: ID, podUid: UID, unit: 'cron.service' },
  ],
  ['k3s', `0::/kubepods/besteffort/pod${UID}/${ID}`, { container: ID, podUid: UID }],
  ['k3s itself', '0::/system.slice/k3s.service', { unit: 'k3s.service' }],
  [
    'k3s in docker (k3d): the pod is what the container says',
    `0::/docker/${ID}/kubepods/burstable/pod${UID}/${ID2}`,
    { container: ID },
  ],
  [
    'k3s, rootless',
    `0::/user.slice/user-1000.slice/user@1000.service/app.slice/k3s-rootless.service/kubepods/burstable/pod${UID}/${ID}`,
    { container: `user@1000.service/${ID}`, podUid: `user@1000.service/${UID}` },
  ],
  [
    'containerd that made a path of systemd below its own service',
    `0::/system.slice/containerd.service/kubepods-burstable-pod${UID_}.slice:cri-containerd:${ID}`,
    { container: ID, podUid: UID },
  ],
  ['podman in a unit of its own (quadlet)', `0::/system.slice/web.service/libpod-payload-${ID}`, { container: ID }],
  ['kubelet of kind', `0::/docker/${ID}/kubelet.slice/kubelet.service`, { container: ID, unit: 'kubelet.service' }],
  [
    'a service of a docker inside a systemd inside docker',
    `0::/docker/${ID}/system.slice/docker-${ID2}.scope/system.slice/nginx.service`,
    { container: ID },
  ],
  [
    'user service inside lxc',
    '0::/lxc.payload.web01/user.slice/user-1000.slice/user@1000.service/app.slice/foot.service',
    { container: 'web01', unit: 'user@1000.service/foot.service' },
  ],
  [
    'systemd inside rootless docker',
    `0::/user.slice/user-1000.slice/user@1000.service/user.slice/docker-${ID}.scope/system.slice/nginx.service`,
    { container: `user@1000.service/${ID}`, unit: 'user@1000.service/nginx.service' },
  ],
  [
    "a user's lxc, started from a session",
    '0::/user.slice/user-1000.slice/session-3.scope/lxc.payload.web01/system.slice/ssh.service',
    { container: 'session-3.scope/web01', unit: 'session-3.scope/ssh.service' },
  ],
  // What somebody may call a cgroup that was delegated to them.
  [
    "a user's cgroup with the name of a system unit",
    '0::/user.slice/user-1000.slice/user@1000.service/postgresql.service',
    { unit: 'user@1000.service/postgresql.service' },
  ],
  [
    'the same, deeper, below a slice with a name of the host',
    '0::/user.slice/user-1000.slice/user@1000.service/system.slice/x.scope/sshd.service',
    { unit: 'user@1000.service/x.scope' },
  ],
  [
    "a user's cgroup with the id of a container, and one below with another id",
    `0::/user.slice/user-1000.slice/user@1000.service/docker/${ID}/${ID2}`,
    { container: `user@1000.service/${ID}` },
  ],
  [
    "a user's cgroup with the uid of a pod",
    `0::/user.slice/user-1000.slice/user@1000.service/kubepods/pod${UID}`,
    { unit: 'user@1000.service', podUid: `user@1000.service/${UID}` },
  ],
  [
    "a user's cgroup that names another user",
    '0::/user.slice/user-1000.slice/user@1000.service/user.slice/user-0.slice/user@0.service/cron.service',
    { unit: 'user@1000.service/user@0.service' },
  ],
  [
    "a user's cgroup whose name hides a slash",
    '0::/user.slice/user-1000.slice/user@1000.service/a\\x2fb.service',
    { unit: 'user@1000.service/a\\x2fb.service' },
  ],
  [
    'a service that makes cgroups of its own',
    '0::/system.slice/shop.service/postgresql.service',
    { unit: 'shop.service' },
  ],
  [
    'a container that makes a cgroup with the id of another one',
    `0::/system.slice/docker-${ID}.scope/docker-${ID2}.scope`,
    { container: ID },
  ],
  [
    'a pod that makes a cgroup with the uid of another one',
    `0::/kubepods/pod${UID}/${ID}/pod${UID.replace('2', '3')}`,
    { container: ID, podUid: UID },
  ],
  ['ECS on EC2', `9:memory:/ecs/8a9f1d1e0c1b4f3f/${ID}`, { container: ID }],
  [
    'ECS on Fargate',
    `0::/ecs/${ID.slice(0, 32)}/${ID.slice(0, 32)}-1234567890`,
    { container: `${ID.slice(0, 32)}-1234567890` },
  ],
];

const NOTHING: Placement = { unit: '', container: '', podUid: '' };

test('real set-ups and hostile texts', () => {
  for (const [what, text, place] of cases) assert.deepEqual(parseCgroup(text), { ...NOTHING, ...place }, what);
});

test('no name below the unit of a user is equal to a name that the host can give', () => {
  const names = [
    'postgresql.service',
    `docker-${ID}.scope`,
    ID,
    `pod${UID}`,
    'lxc',
    'init.scope',
    'app.slice',
    'x',
    'user-0.slice',
  ];
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...names), { minLength: 1, maxLength: 6 }), (path) => {
      const place = parseCgroup(`0::/user.slice/user-7.slice/user@7.service/${path.join('/')}`);
      for (const value of Object.values(place))
        assert.ok(value === '' || value === 'user@7.service' || value.startsWith('user@7.service/'), value);
    }),
  );
});

test('any text gives short values', () => {
  const parts = ['docker-', ID, '.scope', 'lxc/', 'a'.repeat(500), '.service', 'pod', UID, ':', '/', '\\x2d', '\\x00'];
  const text = fc.array(fc.oneof(fc.string(), fc.constantFrom(...parts)), { maxLength: 40 }).map((p) => p.join(''));
  fc.assert(
    fc.property(text, (path) => {
      const place = parseCgroup(`0::/${path}\n3:memory:${path}`);
      for (const value of Object.values(place)) assert.ok(value.length <= 255);
    }),
  );
  const before = performance.now();
  parseCgroup(`0::/${'a-'.repeat(1 << 20)}`);
  assert.ok(performance.now() - before < 5000);
});
