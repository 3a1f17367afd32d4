// From the version before this one, really built from its sources, to the present one: the Debian package, and what its
// `install` has put in place. Configuration, drop-ins and the choice of units stay, and the service starts again once.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { nodeFolder } from '../../scripts/release/node-binaries.ts';
import { eventually, root } from '../harness.ts';
import { type BootedDebian, bootDebian } from './booted-debian.ts';
import {
  DROP_INS,
  debianPackage,
  installPackage,
  LONG_MS,
  pidOf,
  purgePackage,
  release,
  removePackage,
  SCENARIO_MS,
  SERVICE,
  SOCKET,
  scraped,
  startsOf,
} from './debian-package.ts';
import { lastCommitBefore, versionBefore } from './version-before.ts';

const CONFIG = 'exclude_names: [sshd]\n';
const RULES = '[[rule]]\ngroup = "mine"\nsubgroup = "busy"\nunit = "busy.service"\n';
const PROCESS_CPU = 'herakles_cpu_process_time_seconds';

/** What an operator has set up: a configuration, a rule, a drop-in; and a process that the rule names. */
function setUp(debian: BootedDebian): void {
  debian.write('/etc/herakles/config.yaml', CONFIG);
  debian.write('/etc/herakles/subgroups.toml', RULES);
  debian.write(`${DROP_INS}/nice.conf`, '[Service]\nNice=5\n');
  const work = 'i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; exec sleep infinity';
  debian.done(`systemd-run --quiet --unit=busy --uid=nobody sh -c '${work}'`);
  debian.done(`systemctl daemon-reload && systemctl restart ${SERVICE}`);
}

/** What that version says of the process, with all of the set-up in force. @returns CPU seconds of the process */
async function seenBy(debian: BootedDebian, version: string): Promise<number> {
  const pid = debian.property('busy.service', 'MainPID');
  return eventually(async () => {
    const page = await debian.scrape();
    assert.equal(page.all('herakles_exporter_build_info')[0]?.labels.version, version);
    const [process] = page.all(PROCESS_CPU, { pid });
    assert.ok(process && process.value > 0.05, 'its CPU is known');
    assert.deepEqual([process.labels.group, process.labels.subgroup], ['mine', 'busy']);
    assert.equal(page.all(PROCESS_CPU, { name: 'sshd' }).length, 0, 'the configuration is in force');
    assert.equal(debian.done(`ps -o ni= -p ${pidOf(debian)}`).trim(), '5', 'the drop-in is in force');
    return process.value;
  }, LONG_MS);
}

/** Does an upgrade, and sees what it keeps. */
async function upgraded(debian: BootedDebian, from: string, to: string, upgrade: () => void): Promise<void> {
  const cpu = await seenBy(debian, from);
  const [pid, starts, user] = [pidOf(debian), startsOf(debian), debian.done('id herakles')];
  upgrade();
  await eventually(() => assert.ok(![0, pid].includes(pidOf(debian))), LONG_MS);
  assert.ok((await seenBy(debian, to)) >= cpu, 'the counter of a process does not fall');
  assert.equal(startsOf(debian), starts + 1, 'it starts again once');
  assert.equal(debian.property(SERVICE, 'NRestarts'), '0', 'and not because it failed');
  assert.equal(debian.done('cat /etc/herakles/config.yaml'), CONFIG.trimEnd());
  assert.equal(debian.done('cat /etc/herakles/subgroups.toml'), RULES.trimEnd());
  assert.equal(debian.done('id herakles'), user);
  assert.equal(debian.done(`systemctl is-enabled ${SERVICE}`), 'enabled');
}

/** The last commit of the version before; undefined where the test is skipped because history is missing, which it says. */
function before(t: TestContext): string | undefined {
  try {
    return lastCommitBefore();
  } catch (error) {
    t.skip(`NOT TESTED, an upgrade from the version before: ${(error as Error).message}`);
    return undefined;
  }
}

const { version } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as { version: string };

for (const suite of ['bookworm', 'trixie'] as const) {
  test(`an upgrade from the version before on ${suite}`, { timeout: SCENARIO_MS }, async (t) => {
    const commit = before(t);
    if (!commit) return;
    const old = await versionBefore(t, commit); // a version that cannot be built any longer is a failure
    const debian = await bootDebian(t, suite);
    if (!debian) return;
    t.diagnostic(`from ${old.version} to ${version}`);
    debian.write('/root/old.deb', readFileSync(old.debianPackage));
    debian.write('/root/new.deb', readFileSync(debianPackage));

    await t.test('of the Debian package keeps what was set up, and starts the service again once', async () => {
      installPackage(debian, '/root/old.deb');
      await scraped(debian);
      setUp(debian);
      await upgraded(debian, old.version, version, () => installPackage(debian, '/root/new.deb'));
    });

    await t.test('a unit that a removal has masked is free again after the next installation', () => {
      const unmasked = () => {
        installPackage(debian, '/root/new.deb');
        assert.equal(debian.run(`systemctl is-enabled ${SOCKET}`).stdout, 'disabled\n');
        assert.equal(debian.done(`systemctl is-enabled ${SERVICE}`), 'enabled');
        debian.done(`systemctl stop ${SERVICE} && systemctl enable --now ${SOCKET}`);
        debian.done(`systemctl disable --now ${SOCKET}`);
      };
      removePackage(debian);
      assert.match(debian.run(`systemctl is-enabled ${SOCKET}`).stdout, /^masked/);
      unmasked();
      purgePackage(debian);
      installPackage(debian, '/root/old.deb');
      removePackage(debian);
      unmasked();
      purgePackage(debian);
    });

    await t.test('of what install has put in place: to the new bundle, then to the executable', async () => {
      debian.write('/usr/bin/node', readFileSync(`${nodeFolder('amd64')}/bin/node`));
      debian.done('chmod 755 /usr/bin/node');
      for (const [folder, file] of [
        ['old', old.bundle],
        ['new', `${root}dist/herakles.cjs`],
      ] as const) {
        debian.write(`/opt/${folder}/herakles.cjs`, readFileSync(file));
        debian.write(`/opt/${folder}/NOTICE`, readFileSync(file.replace(/[^/]+$/, 'NOTICE')));
      }
      const archive = readFileSync(`${release}/herakles-node-exporter-${version}.linux-amd64.tar.gz`);
      debian.done('tar -C /opt -xzf - --strip-components=1', archive);
      debian.done('systemctl stop busy.service');
      debian.done(`node /opt/old/herakles.cjs install && systemctl enable --now ${SERVICE}`);
      setUp(debian);
      const upgrade = (command: string) => () => void debian.done(`${command} upgrade`);
      await upgraded(debian, old.version, version, upgrade('node /opt/new/herakles.cjs'));
      await upgraded(debian, version, version, upgrade('/opt/herakles-node-exporter'));
      assert.match(
        debian.done(`readlink /proc/${pidOf(debian)}/exe`),
        /\/usr\/local\/lib\/herakles\/herakles-node-exporter$/,
      );
      debian.done('herakles-node-exporter uninstall');
      assert.equal(debian.done('find /usr/local /var/lib /run -name "*herakles*"'), '');
    });
  });
}
