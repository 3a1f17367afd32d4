// Group counters that never fall: what each process gained is added to its group and stays there when the process is gone.
// Seconds are rounded to the microsecond at each addition, because ticks are decimal fractions: a thousand times 0.01
// would be 9.999999999999831.

/** What a process gained by itself since it was last read: CPU seconds and page faults. Never negative. */
export interface Gain {
  readonly user: number;
  readonly system: number;
  readonly minorFaults: number;
  readonly majorFaults: number;
}

/** What passes from a child to the process that waits for it: CPU seconds, and bytes of storage I/O. */
export interface ReapedUsage {
  user: number;
  system: number;
  readBytes: number;
  writeBytes: number;
}

/** The counters of one subgroup since this exporter began. */
export class GroupCounters {
  readonly group: string;
  readonly subgroup: string;
  /** CPU seconds of its processes and of their reaped children. */
  user = 0;
  system = 0;
  /** CPU seconds that its processes had used before this exporter first saw them. */
  before = 0;
  minorFaults = 0;
  majorFaults = 0;
  readBytes = 0;
  writeBytes = 0;
  /** Processes that began in the subgroup or moved into it by an exec; and that ended or moved away. */
  started = 0;
  exited = 0;
  /** Processes that the kernel killed for memory. */
  oomKills = 0;
  /** The configuration names the subgroup, so that its processes should run. */
  declared = false;
  /** Kept for the collectors: the label texts of its series, once they were rendered. Copies share them. */
  readonly labels: string[] = [];

  constructor(group: string, subgroup: string) {
    this.group = group;
    this.subgroup = subgroup;
  }

  /** The counters as they are now. */
  copy(): GroupCounters {
    return Object.assign(new GroupCounters(this.group, this.subgroup), this);
  }

  /** Adds what a process gained by itself. */
  credit(gain: Gain): void {
    this.#creditCpu(gain.user, gain.system);
    this.minorFaults += gain.minorFaults;
    this.majorFaults += gain.majorFaults;
  }

  /** Adds what a process gained from children that it waited for, with its own storage I/O. */
  creditReaped(gain: Readonly<ReapedUsage>): void {
    this.#creditCpu(gain.user, gain.system);
    this.readBytes += gain.readBytes;
    this.writeBytes += gain.writeBytes;
  }

  /** Adds what a process had used when it was first seen. @param cpu seconds */
  creditBefore(cpu: number): void {
    this.before = micros(this.before + cpu);
  }

  #creditCpu(user: number, system: number): void {
    this.user = micros(this.user + user);
    this.system = micros(this.system + system);
  }
}

const micros = (seconds: number): number => Math.round(seconds * 1e6) / 1e6;

/** All group counters, by group and subgroup. They live as long as the exporter: a group that comes back continues. */
export class GroupCountersTable {
  readonly #byGroup = new Map<string, Map<string, GroupCounters>>();

  of(group: string, subgroup: string): GroupCounters {
    let subgroups = this.#byGroup.get(group);
    if (!subgroups) {
      subgroups = new Map();
      this.#byGroup.set(group, subgroups);
    }
    let counters = subgroups.get(subgroup);
    if (!counters) {
      counters = new GroupCounters(group, subgroup);
      subgroups.set(subgroup, counters);
    }
    return counters;
  }

  /** Makes the named pairs, and no others, the declared ones. */
  declare(pairs: readonly (readonly [group: string, subgroup: string])[]): void {
    for (const counters of this) counters.declared = false;
    for (const [group, subgroup] of pairs) this.of(group, subgroup).declared = true;
  }

  *[Symbol.iterator](): Iterator<GroupCounters> {
    for (const subgroups of this.#byGroup.values()) yield* subgroups.values();
  }
}
