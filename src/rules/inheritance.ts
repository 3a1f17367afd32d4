// With the setting inherit_group, a process that no rule matches belongs to its nearest classified ancestor: the
// `sleep` of a backup script counts as backup. Without limits everything would end in init, from which every process
// descends, so nothing is inherited from barriers (programs that start other people's programs) nor across the border
// of a container.
//
//   nginx → sh → sleep   sleep is web/nginx: shells are transparent, the search goes on to their parent
//   sshd → bash → sleep  sleep is other/other: sshd is a barrier
//
// docs/decisions/0007-inherited-groups.md says why the barriers are a list.
import { type Classification, type Identity, isWithoutRule } from './identity.ts';

/** A process in the tree of processes: what inheriting needs to know of it. */
export interface TreeProcess {
  readonly pid: number;
  readonly description: Classification & { readonly identity: Identity };
}

/** A process that may have inherited already. */
interface Inheriting<T> {
  /** The ancestor whose group it has; undefined where it has a rule of its own, or nothing. */
  readonly source?: T | undefined;
}

/**
 * Groups, and subgroups, from which nothing is inherited: init, cron, sshd and others that start sessions, jobs,
 * services and containers of anybody.
 */
export const INHERITANCE_BARRIERS: ReadonlySet<string> = new Set([
  ...['system', 'container', 'desktop', 'hpc'],
  ...['runtime/pm2', 'cicd/nomad', 'network/inetd', 'monitoring/monit', 'security/oauth_sso'],
  // Agents of a cloud run the commands of the people who manage the machine.
  ...['virtualization/guest_agents', 'monitoring/cloud_agents'],
]);
/**
 * Subgroups whose parent is asked instead: the program that called a shell or sudo is the ancestor of what they call.
 */
export const TRANSPARENT_GROUPS: ReadonlySet<string> = new Set(['runtime/shell', 'system/sessions']);

/** Ancestors that are asked: a limit in case parents form a circle, as readings of different moments may say. */
const DEPTH_MAX = 200;
const INIT_PID = 1;

/**
 * The ancestor from which a process that no rule matches inherits its group; undefined where there is none.
 * @param parentOf the parent of a process, undefined where it is not known
 */
export function inheritanceSource<T extends TreeProcess & Inheriting<T>>(
  child: T,
  parentOf: (child: T) => T | undefined,
): T | undefined {
  const { container } = child.description.identity;
  let parent = parentOf(child);
  for (let depth = 0; parent && depth < DEPTH_MAX; depth++) {
    if (parent.pid === INIT_PID || parent.description.identity.container !== container) return undefined;
    const ancestor = parent.source ?? parent;
    // A parent's source may have become another program since, from which nothing is inherited any more.
    if (childrenMayInherit(ancestor)) return ancestor;
    if (!isTransparent(parent)) return undefined;
    parent = parentOf(parent);
  }
  return undefined;
}

/**
 * Whether processes may inherit from this one: a rule of its own decided, and its group is neither barrier nor
 * transparent.
 */
export function childrenMayInherit({ description, source }: TreeProcess & Inheriting<unknown>): boolean {
  const { group, subgroup } = description;
  const hasOwnRule = !isWithoutRule(description) && source === undefined;
  return (
    hasOwnRule &&
    !INHERITANCE_BARRIERS.has(group) &&
    !INHERITANCE_BARRIERS.has(`${group}/${subgroup}`) &&
    !TRANSPARENT_GROUPS.has(`${group}/${subgroup}`)
  );
}

/** Whether to ask the parent of this process instead: it has no rule of its own, or its group is transparent. */
const isTransparent = ({ description, source }: TreeProcess & Inheriting<unknown>): boolean =>
  isWithoutRule(description) ||
  source !== undefined ||
  TRANSPARENT_GROUPS.has(`${description.group}/${description.subgroup}`);

/** The classification of a process that inherits from this one: its group, and a rule that names it. */
export const inheritedClassification = ({ pid, description }: TreeProcess): Classification => ({
  group: description.group,
  subgroup: description.subgroup,
  rule: `inherited from PID ${pid} (${description.rule})`,
});
