// Where the setting says so, a process that no rule matches belongs to its nearest classified ancestor: a script's
// sleep to the script. Nothing passes from what starts other people's programs, nor across the border of a container.
import { type Classification, type Identity, NO_RULE } from './identity.ts';

/** A process as its descendants see it. */
export interface TreeProcess {
  readonly pid: number;
  readonly description: Classification & { readonly identity: Identity };
}

/** Whom it inherited from; undefined where it has a rule of its own, or nothing. */
interface Inheriting<T> {
  readonly source?: T | undefined;
}

/**
 * Groups and subgroups whose children are their own masters: init, cron, sshd and whatever else starts sessions, jobs,
 * services and containers.
 */
export const INHERITANCE_BARRIERS: ReadonlySet<string> = new Set([
  ...['system', 'container', 'desktop', 'hpc'],
  ...['runtime/pm2', 'cicd/nomad', 'network/inetd', 'monitoring/monit', 'security/oauth_sso'],
]);
/** Those that stand between: whoever called a shell, or sudo, is the ancestor of what it calls. */
export const TRANSPARENT_GROUPS: ReadonlySet<string> = new Set(['runtime/shell', 'system/sessions']);

/** Deeper trees of processes than this are not followed. */
const DEEPEST = 200;
const INIT = 1;

/** @returns whom a process that no rule matches inherits from */
export function inheritanceSource<T extends TreeProcess & Inheriting<T>>(
  child: T,
  parentOf: (child: T) => T | undefined,
): T | undefined {
  const { container } = child.description.identity;
  let parent = parentOf(child);
  for (let depth = 0; parent && depth < DEEPEST; depth++) {
    if (parent.pid === INIT || parent.description.identity.container !== container) return undefined;
    if (parent.source) return parent.source;
    if (childrenMayInherit(parent)) return parent;
    if (!standsBetween(parent)) return undefined;
    parent = parentOf(parent);
  }
  return undefined;
}

/** Whether its children may belong to it. */
export function childrenMayInherit({ description: who, source }: TreeProcess & Inheriting<unknown>): boolean {
  const { group, subgroup, rule } = who;
  const own = rule !== NO_RULE && source === undefined;
  return (
    own &&
    !INHERITANCE_BARRIERS.has(group) &&
    !INHERITANCE_BARRIERS.has(`${group}/${subgroup}`) &&
    !TRANSPARENT_GROUPS.has(`${group}/${subgroup}`)
  );
}

const standsBetween = ({ description: { group, subgroup, rule } }: TreeProcess): boolean =>
  rule === NO_RULE || TRANSPARENT_GROUPS.has(`${group}/${subgroup}`);

export const inheritedClassification = ({ pid, description: who }: TreeProcess): Classification => ({
  group: who.group,
  subgroup: who.subgroup,
  rule: `inherited from PID ${pid} (${who.rule})`,
});
