// Group counters that never fall: what each process gained is added to its group and stays there when it is gone.
// Fractions of a second are kept to the microsecond, so that sums of ticks stay free of rounding dust.

/** What a process gained by itself since it was last seen: CPU seconds and faults. Never negative. */
export interface Gain {
  user: number;
  system: number;
  minorFaults: number;
  majorFaults: number;
}

/** What passes from a child to the process that waits for it: CPU seconds and bytes of storage I/O. */
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
  /** CPU seconds its processes had burned before this exporter first saw them. */
  before = 0;
  minorFaults = 0;
  majorFaults = 0;
  readBytes = 0;
  writeBytes = 0;
  /** Processes that began in, or moved into, the subgroup; and that ended or moved away. */
  started = 0;
  exited = 0;
  /** Whether the configuration names the subgroup: it ought to run. */
  declared = false;
  /** Kept for the collectors: the label texts of its series, once they were rendered. Copies share them. */
  readonly labels: string[] = [];

  constructor(group: string, subgroup: string) {
    this.group = group;
    this.subgroup = subgroup;
  }

  /** The counters as they stand now. */
  copy(): GroupCounters {
    return Object.assign(new GroupCounters(this.group, this.subgroup), this);
  }

  credit(gain: Gain): void {
    this.#creditCpu(gain.user, gain.system);
    this.minorFaults += gain.minorFaults;
    this.majorFaults += gain.majorFaults;
  }

  creditInherited(gain: ReapedUsage): void {
    this.#creditCpu(gain.user, gain.system);
    this.readBytes += gain.readBytes;
    this.writeBytes += gain.writeBytes;
  }

  creditBefore(seconds: number): void {
    this.before = micros(this.before + seconds);
  }

  #creditCpu(user: number, system: number): void {
    this.user = micros(this.user + user);
    this.system = micros(this.system + system);
  }
}

const micros = (seconds: number): number => Math.round(seconds * 1e6) / 1e6;

/** All ledgers, by group and subgroup. A ledger lives as long as the exporter: a group that came back continues. */
export class GroupCountersTable {
  readonly #byGroup = new Map<string, Map<string, GroupCounters>>();

  of(group: string, subgroup: string): GroupCounters {
    let subgroups = this.#byGroup.get(group);
    if (!subgroups) {
      subgroups = new Map();
      this.#byGroup.set(group, subgroups);
    }
    let ledger = subgroups.get(subgroup);
    if (!ledger) {
      ledger = new GroupCounters(group, subgroup);
      subgroups.set(subgroup, ledger);
    }
    return ledger;
  }

  /** Makes the named pairs, and no others, the declared ones. */
  declare(pairs: readonly (readonly [group: string, subgroup: string])[]): void {
    for (const ledger of this) ledger.declared = false;
    for (const [group, subgroup] of pairs) this.of(group, subgroup).declared = true;
  }

  *[Symbol.iterator](): Iterator<GroupCounters> {
    for (const subgroups of this.#byGroup.values()) yield* subgroups.values();
  }
}
