// A Debian that is really booted, in QEMU: its own kernel, systemd as process 1, cgroup v2 with memory. Scenarios are *.vm.ts in
// this folder, and `npm run vm` runs them. A machine writes to a copy of its disk that is gone when it ends, so each scenario
// begins with the same fresh system. Commands reach it by SSH, and its port 9215 is a port of this machine.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { Exposition } from '../exposition-text.ts';
import { whyNotForeign } from '../foreign-processor.ts';
import { eventually, freePort, need, needRoot, Started, scratch } from '../harness.ts';
import { type Image, imageOf, type Suite } from './debian-image.ts';
import { contained } from './made-once.ts';

/** Long, because an emulated machine that shares its cores with other tests boots slowly. */
const BOOT_MS = 900_000;
/** Where KVM works, a kernel without a disk ends within two seconds. */
const KVM_MS = 10_000;
const EMULATED = 'tcg,thread=multi';
/** The longest command installs a package, which takes minutes where the processor is emulated and others use it. */
const COMMAND_MS = 600_000;

export class BootedDebian {
  /** Of the exporter's port 9215, from this machine. */
  readonly url: string;
  readonly #ssh: readonly string[];

  constructor(ssh: readonly string[], port: number) {
    this.#ssh = ssh;
    this.url = `http://127.0.0.1:${port}`;
  }

  /** Runs a command of the shell as root. */
  run(command: string, input: string | Buffer = '') {
    const [file, ...args] = this.#ssh as [string, ...string[]];
    const limits = { maxBuffer: 2 ** 26, timeout: COMMAND_MS, killSignal: 'SIGKILL' } as const;
    const { status, error, stdout, stderr } = spawnSync(file, [...args, command], { input, ...limits });
    return { status, stdout: stdout.toString(), stderr: `${stderr}${error?.message ?? ''}` };
  }

  /** Runs a command that has to succeed. @returns what it prints */
  done(command: string, input: string | Buffer = ''): string {
    const { status, stdout, stderr } = this.run(command, input);
    assert.equal(status, 0, `${command}: ${stdout}${stderr}`);
    return stdout.trimEnd();
  }

  write(path: string, content: string | Buffer): void {
    this.done(`mkdir -p "$(dirname ${path})" && cat > ${path}`, content);
  }

  /** A property of a unit, as systemd has it in force. */
  property(unit: string, name: string): string {
    return this.done(`systemctl show --value -p ${name} ${unit}`);
  }

  async scrape(): Promise<Exposition> {
    const response = await fetch(`${this.url}/metrics`, { signal: AbortSignal.timeout(60_000) });
    assert.equal(response.status, 200);
    return new Exposition(await response.text());
  }
}

let kvm: Promise<boolean> | undefined;

/**
 * Whether KVM runs a kernel as far as the panic that ends it, because it has no disk. Where this machine is virtual itself,
 * /dev/kvm may open and yet run none.
 */
async function kvmRuns(t: TestContext, qemu: string, kernel: string): Promise<boolean> {
  if (!existsSync('/dev/kvm')) return false;
  const machine = ['-accel', 'kvm', '-m', '256', '-display', 'none', '-no-reboot', '-serial', 'stdio'];
  const trial = new Started(t, contained([qemu, ...machine, '-kernel', kernel, '-append', 'console=ttyS0 panic=-1']));
  const panics = () => assert.match(trial.stdout, /Kernel panic/);
  const [end] = await Promise.allSettled([Promise.race([eventually(panics, KVM_MS), trial.ended.then(panics)])]);
  await trial.kill();
  const works = end.status === 'fulfilled';
  if (!works) t.diagnostic(`KVM runs no kernel here, so the processor is emulated ${trial.stderr}`);
  return works;
}

interface Hardware {
  /** QEMU's options of processor and board, and the console that Linux has there. */
  readonly options: readonly string[];
  readonly console: string;
  readonly image: string;
}

/** Finds what runs the machine, and makes its disk where there is none; undefined where the test is skipped. */
async function hardwareOf(t: TestContext, image: Image): Promise<Hardware | undefined> {
  if (process.arch !== 'x64') {
    t.skip('only a machine of x86-64 boots others');
    return undefined;
  }
  const paths = needRoot(t) ? need(t, 'qemu', 'mmdebstrap', 'mke2fs', 'ssh', 'unshare', 'setpriv') : undefined;
  if (!paths) return undefined;
  if (image.architecture === 'amd64') {
    const folder = await imageOf(t, image, paths);
    kvm ??= kvmRuns(t, paths.qemu, `${folder}/vmlinuz`);
    return { options: [paths.qemu, '-accel', (await kvm) ? 'kvm' : EMULATED], console: 'ttyS0', image: folder };
  }
  const foreign = need(t, 'qemu-arm64', 'qemu-aarch64');
  if (!foreign) return undefined;
  const problem = whyNotForeign(); // programs of arm64 make the disk
  if (problem) {
    t.skip(problem);
    return undefined;
  }
  const folder = await imageOf(t, image, { ...paths, foreign: foreign['qemu-aarch64'] });
  const options = [foreign['qemu-arm64'], '-accel', EMULATED, '-machine', 'virt', '-cpu', 'cortex-a72'];
  return { options, console: 'ttyAMA0', image: folder };
}

/** What the machine says of the exporter and of itself, for a test that failed: afterwards it is gone. */
function lastWords(debian: BootedDebian, printed: string): string {
  const { status, stdout } = debian.run(
    'uname -r; systemctl --failed --no-legend; journalctl -b -n 40 --no-pager -o short-monotonic -u "herakles*" -u init.scope',
  );
  return status === 0 ? stdout : `no answer by SSH; its console ends with\n${printed}`;
}

/**
 * Boots a fresh machine, which ends with the test; undefined where the test is skipped.
 * @param mebibytes its memory
 */
export async function bootDebian(
  t: TestContext,
  suite: Suite,
  mebibytes = 1024,
  architecture: Image['architecture'] = 'amd64',
): Promise<BootedDebian | undefined> {
  const hardware = await hardwareOf(t, { suite, architecture });
  if (!hardware) return undefined;
  const { image } = hardware;
  const folder = scratch();
  const [shell, metrics] = [await freePort(), await freePort()];
  const forward = [shell, metrics].map((port, i) => `hostfwd=tcp:127.0.0.1:${port}-:${[22, 9215][i]}`).join();
  const options = ['UserKnownHostsFile=/dev/null', 'StrictHostKeyChecking=no', 'LogLevel=ERROR', 'BatchMode=yes'];
  const command = ['ssh', '-F', 'none', '-i', `${image}/key`, '-p', String(shell), '-S', `${folder}/ssh`];
  const ssh = [...command, ...options.flatMap((option) => ['-o', option]), 'root@127.0.0.1'];
  const debian = new BootedDebian(ssh, metrics);
  writeFileSync(`${folder}/console`, ''); // it is there even where QEMU does not start
  const printed = () => readFileSync(`${folder}/console`, 'utf8').split('\n').slice(-20).join('\n');
  const began = performance.now();
  const tell = (part: unknown): void => {
    const { name, passed } = part as { name: string; passed: boolean }; // @types/node of Node.js 20 lacks `passed`
    // At once, because the reporter is silent until the whole scenario ends.
    console.error(
      `# ${suite}, ${((performance.now() - began) / 1000).toFixed(0)} s: ${passed ? '' : 'FAILED: '}${name}`,
    );
    if (!passed) t.diagnostic(`${name}: ${lastWords(debian, printed())}`);
  };
  t.afterEach(tell);
  t.after(() => tell(t)); // before the machine ends, because it comes first
  const machine = new Started(
    t,
    contained([
      ...[...hardware.options, '-m', `${mebibytes}`, '-smp', '2', '-display', 'none', '-no-reboot'],
      ...['-serial', `file:${folder}/console`, '-kernel', `${image}/vmlinuz`, '-initrd', `${image}/initrd.img`],
      ...['-append', `root=/dev/vda rw console=${hardware.console}`],
      ...['-drive', `file=${image}/disk,if=virtio,format=raw,snapshot=on`],
      ...['-netdev', `user,id=net,${forward}`, '-device', 'virtio-net-pci,netdev=net,romfile='],
      ...['-object', 'rng-random,id=rng,filename=/dev/urandom', '-device', 'virtio-rng-pci,rng=rng'],
    ]),
  );
  const login = eventually(
    () => {
      const { status, stderr } = debian.run('systemctl is-system-running --wait');
      assert.ok(status !== null && status !== 255, `no login: ${stderr}\n${printed()}`);
    },
    BOOT_MS,
    500,
  );
  const ended = machine.ended.then(() => assert.fail(`QEMU has ended: ${machine.stderr}\n${printed()}`));
  ended.catch(() => {}); // it also ends with the test
  await Promise.race([login, ended]);
  // One connection for all commands: the key exchange takes seconds where the processor is emulated.
  new Started(t, [...ssh.slice(0, -1), '-M', '-N', ssh.at(-1)!]);
  await eventually(() => assert.ok(existsSync(`${folder}/ssh`)));
  return debian;
}
