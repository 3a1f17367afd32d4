// Says for `check` whether OOM kills are counted by group, and what gives access to the kernel's log where they are not.
import type { OomKillState } from '../../process/oom-kills.ts';

const NOT_COUNTED = 'not counted by group';
const FROM_INSIDE = 'in a container, pass the device on (--device /dev/kmsg)';
const IN_A_UNIT = 'in a unit of systemd, use neither PrivateDevices nor ProtectKernelLogs';

const LINES: Readonly<Record<OomKillState, readonly string[]>> = {
  counted: ["counted by group, from the kernel's log"],
  off: [`${NOT_COUNTED}: enable_oom_kills or collector_group is false`],
  'catching up': [`${NOT_COUNTED} yet: the kernel's log from before the start is still being passed over`],
  'other pids': [
    `${NOT_COUNTED}: the log has pids of the host, and /proc shows those of a container, or hides kernel threads`,
  ],
  denied: [
    `${NOT_COUNTED}: /dev/kmsg cannot be read (denied)`,
    `grant CAP_SYSLOG, or set kernel.dmesg_restrict to 0; ${IN_A_UNIT}`,
  ],
  gone: [`${NOT_COUNTED}: there is no /dev/kmsg`, `${FROM_INSIDE}; ${IN_A_UNIT}`],
  unsupported: [`${NOT_COUNTED}: /dev/kmsg is not the kernel's log`, FROM_INSIDE],
  malformed: [`${NOT_COUNTED}: /dev/kmsg is not the kernel's log`, FROM_INSIDE],
  hung: [`${NOT_COUNTED}: /dev/kmsg does not answer`],
};

export const oomKillLines = (state: OomKillState): readonly string[] => LINES[state];
