// Makes docs/coverage.md: the group of every service that a package of Debian 12 ships, behind the lists of
// program-coverage.ts. catalogue/debian-units.tsv has the services (debian-units.mjs says how it was made), the rules of the
// catalogue decide. Where the list names no program, the rules see the unit alone, so that a program is never claimed that
// was not found.
import { readFileSync } from 'node:fs';
import { glob } from '../src/pattern/pattern.ts';
import { UNKNOWN_IDENTITY } from '../src/rules/identity.ts';
import { baseName } from '../src/rules/interpreter.ts';
import { serviceName } from '../src/rules/service-groups.ts';
import { programSections } from './program-coverage.ts';
import { shippedClassifier, shippedRules } from './shipped-rules.ts';

/** Units that run once and end, by the reason why no group is needed. Names without suffix; `*` is any run of characters. */
const WITHOUT_DAEMON: readonly (readonly [reason: string, units: string])[] = [
  [
    'job of a package, run by cron, a timer or another unit',
    'aodh-expirer debian-edu-* debci-update drkonqi-* e2scrub* phpsessionclean ntpsec-* openqa-enqueue-* openqa-reload-* openqa-setup-db roundcube-* ntpviz-* packagekit-offline-update freedombox-manual-upgrade btrfs* cron-failure@ cron-update click-system-hooks dracut-* lava-dispatcher-host ceph-log',
  ],
  [
    'sets up the machine at its start, and ends',
    'console-setup keyboard-setup alsa-restore alsa-utils apparmor acpi-support adjtimex altos aoe-discover aoetools atm binfmt-support blk-availability bootcd cgroupfs-mount dphys-swapfile driverctl@ dpdk etc-setserial setserial fake-hwclock firehol fireqos arno-iptables-firewall ferm g810-led* hwclock* ifrename ifupdown-* networking* ipip jool jool_siit kdump-tools* lircd-setup live-config live-tools lm-sensors lmt-poll ltsp lvm2-monitor make-dynpart-mappings@ memlockd multipath-tools-boot named-resolvconf ndctl-monitor netconsole netfilter-persistent netscript netscript@ nfs-common nfs-utils nfs-kernel-server nfs-server nfs-ganesha-config auth-rpcgss-module rpc-statd-notify oci-* octavia-agent-certs-ramfs octavia-agent-netns ostree-* ovs-record-hostname pam_namespace policy-routes@ pollinate poolcounter-none pyroman qcom-modem-setup quota rapiddisk* ras-mc-ctl rbdmap rdma-load-modules@ resolvconf* rtslib-fb-targetctl rtpengine-recording-nfs-mount scsitools* selinux-* shorewall* smcroute-helper srptools systemd-bless-boot systemd-boot-* systemd-udev-settle systemd-udev-trigger systemd-zram-setup@ systemd-homed-activate systune udisks2-zram-setup@ uruk writeboost acct sysstat nethack-common slashem-common nvi dns-clean friendly-recovery cryptmount clevis-luks-askpass chromium-ldapconf firefox-ldapconf fetch-rootca-cert enable-nat calamares-settings-mobian xdebian-edu-firstboot sitesummary rasdaemon-none drbd-* ocf.ra@ libvirt-guests lxc lxc-net container-auto google-startup-scripts google-shutdown-scripts google-oslogin-cache open-iscsi dnssec-triggerd-keygen nut-driver-enumerator svxlink_gpio_setup configure-printer@ pass-close@ yubikey-luks-suspend ukui-media-control-mute-led',
  ],
];

export interface CoveredUnit {
  readonly unit: string;
  readonly package: string;
  /** "web/nginx"; '' where no rule names it. */
  readonly group: string;
  /** Whether a rule that asks for the unit decided, not one about the program. */
  readonly byUnit: boolean;
  /** Why no process of it stays; '' for a daemon. */
  readonly reason: string;
}

const reasons = WITHOUT_DAEMON.flatMap(([reason, units]) =>
  units.split(' ').map((unit) => ({ reason, pattern: glob(unit) })),
);

/** Every service of the list with what the catalogue says of it, in the order of the list. */
export function coveredUnits(): CoveredUnit[] {
  const ofUnit = new Set(shippedRules.filter(({ keys }) => keys.has('unit')).map(({ name }) => name));
  const text = readFileSync(new URL('../catalogue/debian-units.tsv', import.meta.url), 'utf8');
  return text
    .trimEnd()
    .split('\n')
    .map((line) => {
      const [unit = '', from = '', program = '', kind = ''] = line.split('\t');
      const identity = { ...UNKNOWN_IDENTITY, unit: unit.replace('@.', '@1.') };
      const known = { ...identity, name: baseName(program).slice(0, 15), argv: [program] };
      const { group, subgroup, rule } = shippedClassifier.classify(program ? known : identity);
      const stem = unit.slice(0, -'.service'.length);
      const reason =
        kind === 'timer' ? 'started by its timer' : (reasons.find(({ pattern }) => pattern.test(stem))?.reason ?? '');
      const named = rule !== 'none';
      return {
        unit,
        package: from,
        group: named ? `${group}/${subgroup}` : '',
        byUnit: named && ofUnit.has(rule),
        reason,
      };
    });
}

/** Shares of the daemons: named by a rule, and named by their unit where no rule is. */
export function coverageOf(units: readonly CoveredUnit[]) {
  const daemons = units.filter(({ group, reason }) => group !== '' || reason === '');
  const named = daemons.filter(({ group }) => group !== '');
  const byService = daemons.filter(({ group, unit }) => group === '' && serviceName(unit) !== undefined);
  return {
    daemons: daemons.length,
    named: named.length,
    byUnit: named.filter((each) => each.byUnit).length,
    byService: byService.length,
  };
}

export function coverage(): string {
  const units = coveredUnits();
  const { daemons, named, byUnit, byService } = coverageOf(units);
  const percent = ((100 * named) / daemons).toFixed(1);
  const rows = units.map(({ unit, package: from, group, byUnit, reason }) => {
    const what = group || reason || `no rule: service/${serviceName(unit.replace('@.', '@1.'))}`;
    return `| ${from} | ${unit.slice(0, -'.service'.length)} | ${what}${byUnit ? ' (unit)' : ''} |`;
  });
  return [
    '# Coverage',
    '',
    '<!-- Made from catalogue/ by scripts/debian-coverage.ts and scripts/program-coverage.ts: change it there. -->',
    '',
    'In which group programs land by the rules of the catalogue, without any configuration.',
    '',
    ...programSections(),
    '## Services of Debian 12',
    '',
    `Packages of Debian 12 ship ${units.length} services. ${units.length - daemons} of them run no daemon and have no group: a timer starts them, or they set`,
    `something up and end. Of the other ${daemons}, rules of the catalogue name **${named}, that is ${percent} %**: ${named - byUnit} by the program, and`,
    `${byUnit} by the unit, marked (unit). The remaining ${byService} have the name of their unit, as [your own services](classification.md#your-own-services).`,
    '',
    "The program of a unit is not in Debian's lists of files. It is taken to be the program of the package that has the name of",
    'the unit or of the package; where there is none, only the unit was compared with the rules.',
    '',
    '| Package | Service | Group |',
    '|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}
