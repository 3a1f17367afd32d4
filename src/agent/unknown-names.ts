// Names of groups in the settings that exist nowhere: no rule has them, and no service that runs does. A misspelled name
// is no fault, because rules may come later, but its effect is far from its cause: a declared group that cannot exist looks
// like a service that has stopped, and a search for a group that cannot exist leaves no series at all. So each name is
// compared with the rules, and is warned of with the nearest name that there is:
//
//   declared_groups names db/postgress, which no rule has; did you mean db/postgres?
import type { Config } from '../config/options.ts';
import type { Subgroup } from '../rules/classifier.ts';
import { KERNEL_THREAD, UNCLASSIFIED } from '../rules/identity.ts';
import { SERVICE_GROUP } from '../rules/service-groups.ts';
import { nearestName } from '../text/did-you-mean.ts';

/** The settings that name groups. */
export const NAMING_SETTINGS = ['declared_groups', 'search_groups', 'search_subgroups'] as const;

/** One name that exists nowhere. */
export interface UnknownName {
  readonly setting: (typeof NAMING_SETTINGS)[number];
  readonly name: string;
  /** What to do, such as "did you mean db/postgres?" */
  readonly remedy: string;
}

type Names = Pick<Subgroup, 'group' | 'subgroup'>;

/**
 * Names that the log and the landing page list, each with a remedy of its own. A configuration can hold thousands of unknown
 * names. A longer list would fill the log, and to find a remedy takes a comparison with every known name.
 */
export const NAMES_LISTED_MAX = 20;

const LIST = '"herakles-node-exporter subgroups" prints every name';

/**
 * Every name that no group has, in the order of the settings. Names of services are known to nobody before the service
 * runs, so `service/NAME` counts as known while services have groups of their own; for NAME alone see `stillUnknown`.
 * @param subgroups of the rules in force
 */
export function unknownNames(config: Config, subgroups: readonly Names[]): UnknownName[] {
  const known = knownNames(config, subgroups);
  const found: UnknownName[] = [];
  for (const setting of NAMING_SETTINGS) {
    for (const name of new Set(config[setting])) {
      if (known[setting].has(name) || (setting === 'declared_groups' && isOfService(config, name))) continue;
      found.push({ setting, name, remedy: found.length < NAMES_LISTED_MAX ? remedyFor(setting, name, known) : LIST });
    }
  }
  return found;
}

/** The names that are not those of services either. @param seen groups of the newest collection */
export function stillUnknown(unknown: readonly UnknownName[], seen: readonly Names[]): readonly UnknownName[] {
  const services = new Set(seen.filter(({ group }) => group === SERVICE_GROUP).map(({ subgroup }) => subgroup));
  return unknown.filter(({ setting, name }) => setting !== 'search_subgroups' || !services.has(name));
}

/** The message about one name, without where it is set. */
export const describeUnknownName = ({ setting, name, remedy }: UnknownName): string =>
  `${setting} names ${name}, which no rule has; ${remedy}`;

type KnownNames = Readonly<Record<UnknownName['setting'], ReadonlySet<string>>>;

function knownNames(config: Config, subgroups: readonly Names[]): KnownNames {
  const services = config.service_groups ? [{ group: SERVICE_GROUP, subgroup: UNCLASSIFIED.subgroup }] : [];
  const all = [...subgroups, KERNEL_THREAD, UNCLASSIFIED, ...services];
  return {
    declared_groups: new Set(all.map(({ group, subgroup }) => `${group}/${subgroup}`)),
    search_groups: new Set(all.map(({ group }) => group)),
    search_subgroups: new Set(all.map(({ subgroup }) => subgroup)),
  };
}

const isOfService = ({ service_groups }: Config, name: string): boolean =>
  service_groups && name.startsWith(`${SERVICE_GROUP}/`);

function remedyFor(setting: UnknownName['setting'], name: string, known: KnownNames): string {
  if (setting === 'search_groups' && known.search_subgroups.has(name))
    return 'it is a subgroup: write it into search_subgroups';
  if (setting === 'search_subgroups' && known.search_groups.has(name))
    return 'it is a group: write it into search_groups';
  const near = nearestName(name, known[setting]);
  return near === undefined ? LIST : `did you mean ${near}?`;
}

/** How many names each setting has that exist nowhere. */
export function countsOf(unknown: readonly UnknownName[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>(NAMING_SETTINGS.map((setting) => [setting, 0]));
  for (const { setting } of unknown) counts.set(setting, counts.get(setting)! + 1);
  return counts;
}
