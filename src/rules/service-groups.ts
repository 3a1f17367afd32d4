// Names the processes of an operator's own services. A process that no rule matches, but that runs in a system unit,
// belongs to service/<unit>:
//
//   /system.slice/shop.service                              service/shop
//   /system.slice/system-worker.slice/worker@3.service      service/worker: the instances of a template are one service
//   /user.slice/user-1000.slice/user@1000.service/x.service other/other: the user chose that name
//
// Only root can choose such a name: systemd makes the cgroups of system units, and placement.ts shows no unit without a
// slash that a user or a delegated cgroup named. Inside of a container the container's root chooses, so nothing is named.
//
// The number of names is limited, because each is a subgroup with series of its own. A name that was given stays, so
// that its counters go on: services that come later than the limit share service/other.
import { type Classification, type Identity, SERVICE_RULE } from './identity.ts';

export const SERVICE_GROUP = 'service';

const SUFFIX = '.service';
/** Longer names are cut: as long as a subgroup of a rule may be (table-reader.ts). */
const NAME_MAX = 100;
/** The manager of a user, with the processes that the user keeps directly in it. */
const USER_MANAGER = 'user@';
/** systemd-run names its units itself: run-r3f0c….service, run-u42.service, run-p12-i13.service (systemd-run(1)). */
const TRANSIENT = /^run-(?:r[0-9a-f]{32}|u\d+|p\d+-i\d+)$/;
/** Units that dbus-broker and systemd start for a name on the bus: "dbus-:1.7-org.example.Name@0.service". */
const BUS_PREFIX = /^dbus-:\d+\.\d+-/;

/**
 * The subgroup of a system service; undefined for other units. Instances of a template have the name of the template.
 * @param unit as in `Identity.unit`: "worker@3.service" gives "worker"
 */
export function serviceName(unit: string): string | undefined {
  if (!unit.endsWith(SUFFIX) || unit.startsWith(USER_MANAGER) || unit.includes('/')) return undefined;
  const instance = unit.indexOf('@');
  const name = unit.slice(0, instance > 0 ? instance : -SUFFIX.length);
  if (name.startsWith('run-') && TRANSIENT.test(name)) return 'run';
  const known = name.startsWith('dbus-:') ? name.replace(BUS_PREFIX, '') : name;
  return (known.length > NAME_MAX ? known.slice(0, NAME_MAX).toWellFormed() : known) || undefined;
}

/** Remembers the names that it gave, for as long as it lives. */
export class ServiceGroups {
  /** So many names are given; 0 gives none, and then no process has a group of its service. */
  max = 0;

  readonly #rest: Classification = { group: SERVICE_GROUP, subgroup: 'other', rule: SERVICE_RULE };
  readonly #given = new Map<string, Classification>();

  /** The group of a process that no rule matches; undefined where it runs in no system service, or none are named. */
  of({ unit, container, podUid }: Identity): Classification | undefined {
    if (this.max === 0 || unit === '' || container !== '' || podUid !== '') return undefined;
    const name = serviceName(unit);
    if (name === undefined) return undefined;
    const known = this.#given.get(name);
    if (known) return known;
    return this.#given.size < this.max ? this.#give(name) : this.#rest;
  }

  /** Gives the names of declared groups (`service/shop`) before services that happen to be seen earlier take them all. */
  reserve(groups: readonly (readonly [group: string, subgroup: string])[]): void {
    for (const [group, name] of groups) if (group === SERVICE_GROUP && !this.#given.has(name)) this.#give(name);
  }

  #give(name: string): Classification {
    const given: Classification = { group: SERVICE_GROUP, subgroup: name, rule: SERVICE_RULE };
    this.#given.set(name, given);
    return given;
  }
}
