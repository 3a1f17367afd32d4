// Finds out where a process runs from the names of its control groups: systemd unit, container, Kubernetes pod.
//
// A path is read from the root inwards, and the first name of each kind counts, because it is the host that names the outer
// cgroups: below a unit, a container or a user's manager others may make cgroups of any name. So the first container is the
// container, what is below it tells only the unit inside that container, and a unit hides everything below it but containers.
//
//   /system.slice/docker-ID.scope/system.slice/nginx.service        unit nginx.service, inside container ID
//   /system.slice/docker-ID.scope/docker/ID2                        container ID: ID2 is what a process in ID says
//   /user.slice/user-1000.slice/user@1000.service/app.slice/postgresql.service
//                                                                   unit user@1000.service/postgresql.service
//
// systemd delegates the cgroup of user@UID.service to that user (systemd.resource-control(5), Delegate=), so a name below it
// is the user's word. It is shown behind the name of the user's unit and a slash, which no other name contains, and is
// never equal to a name that the host gave. Pure: any text gives a value, never an error; lengths are bounded.
import { type Membership, parseMemberships } from '../kernel/cgroup.ts';

/** Where a process runs; an empty string where its control group does not say. */
export interface Placement {
  /**
   * Outermost systemd unit: "nginx.service"; inside a container that of the container; "user@1000.service/x.service" below
   * a user's manager. A container's own scope is not one.
   */
  readonly unit: string;
  /**
   * Outermost container: its id (64 hex digits), or its name for runtimes that use names (LXC, nspawn); a user's own
   * behind the user's unit: "user@1000.service/9f2c…".
   */
  readonly container: string;
  /**
   * Kubernetes pod that the host runs: its uid with dashes; a static pod's is 32 hex digits. A user's own stands behind the
   * user's unit. A pod inside a container (kind, k3d) is the container's word, and not shown.
   */
  readonly podUid: string;
}

/** Only the start of an absurdly long text or path is looked at; systemd's own limit for unit names is 255. */
const TEXT_MAX = 65_536;
const SEGMENTS_MAX = 64;
const NAME_MAX = 255;
/** Texts that are remembered; when there are more, all are forgotten. */
const KNOWN_TEXTS_MAX = 1000;

const UNIT = /^[^/]+\.(?:service|scope|mount|socket|swap)$/;
const POD = /(?:^|-)pod([0-9a-f]{8}(?:[-_][0-9a-f]{4}){3}[-_][0-9a-f]{12}|[0-9a-f]{32})(?:\.slice)?$/;
/** A bare id; an id after its runtime ("docker-", "cri-containerd-", "crio-", "libpod-"); "slice:runtime:id"; ECS on Fargate. */
const BARE_ID = /^[0-9a-f]{64}$/;
const SCOPE_ID = /^(?:[a-z][a-z0-9]*-)+([0-9a-f]{64})(?:\.scope)?$/;
const COLON_ID = /^(?:(.*\.slice):)?[^:]*:([0-9a-f]{64})$/;
const FARGATE_ID = /^[0-9a-f]{32}-\d{6,12}$/;
/** LXC and LXD: "lxc.payload.NAME", and "lxc/NAME" or "lxc.payload/NAME" over two segments. */
const LXC_NAME = /^lxc\.payload\.(.+)$/;
const LXC_PARENT = /^lxc(?:\.payload)?$/;
/** machined's scopes and nspawn's service; "machine-qemu…" is a virtual machine, whose processes run on this host. */
const MACHINE = /^machine-(?!qemu-)(?:lxc-\d+-)?(.+)\.scope$/;
const NSPAWN = /^systemd-nspawn@(.+)\.service$/;
/** The slice of one user; what is below its units (user@1000.service, session-3.scope) can be the user's. */
const USER_SLICE = /^user-\d+\.slice$/;

const NOWHERE: Placement = { unit: '', container: '', podUid: '' };

/**
 * systemd writes other characters than letters, digits and :_.- as \xNN (systemd-escape(1)): in the name of a container
 * they stand as themselves where they are printable. A slash stays escaped: it divides a user's unit from the names that
 * the user gave. The name of a unit keeps systemd's spelling, which `systemctl` takes, and which tells x@my\x2ddisk.service
 * and x@my-disk.service apart.
 */
function unescaped(name: string): string {
  return name.replace(/\\x([2-7][0-9a-f])/g, (written, hex: string) =>
    hex === '7f' || hex === '2f' ? written : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

/** The container that a segment of the path names; undefined where it names none. `before` and `after` are the segments around it. */
function containerOf(segment: string, before: string, after: string): string | undefined {
  if (BARE_ID.test(segment) || FARGATE_ID.test(segment)) return segment;
  const scope = SCOPE_ID.exec(segment);
  if (scope) return segment.includes('-conmon-') ? undefined : scope[1]!;
  const colon = COLON_ID.exec(segment);
  if (colon) return colon[2]!;
  const lxc = LXC_NAME.exec(segment);
  if (lxc) return lxc[1]!;
  if (LXC_PARENT.test(before) && !segment.startsWith('lxc.')) return segment;
  const machine = MACHINE.exec(segment);
  if (machine) return machine[1]!;
  const nspawn = NSPAWN.exec(segment);
  return nspawn && after !== 'supervisor' ? nspawn[1]! : undefined;
}

/** Parses one path, from the root inwards. */
export function parsePath(path: string): Placement {
  const segments = path
    .replace(/ \(deleted\)$/, '')
    .split('/', SEGMENTS_MAX)
    .filter((s) => s !== '' && s !== '..')
    .map((s) => s.slice(0, NAME_MAX));
  let { unit, container, podUid } = NOWHERE;
  /** The unit of a user that the path is below, with a slash behind it. */
  let user = '';
  const said = (name: string): string => (user + name).slice(0, NAME_MAX);
  for (const [i, segment] of segments.entries()) {
    const before = segments[i - 1] ?? '';
    const found = containerOf(unescaped(segment), before, segments[i + 1] ?? '');
    if (found && container !== '') break; // a container inside the container: it and what follows is the outer one's word
    const pod = container === '' && podUid === '' ? podOf(segment) : undefined;
    if (pod) podUid = said(pod);
    if (found) {
      container = said(found);
      unit = '';
    } else if (UNIT.test(segment)) {
      if (user === '' && unit === '' && USER_SLICE.test(before)) {
        unit = segment;
        user = `${segment}/`;
      } else if (unit === '' || (`${unit}/` === user && segment !== 'init.scope')) unit = said(segment);
    }
  }
  return { unit, container, podUid };
}

function podOf(segment: string): string | undefined {
  const colon = COLON_ID.exec(segment);
  return POD.exec(colon?.[1] ?? segment)?.[1]?.replaceAll('_', '-');
}

/** How much a path says: a container counts more than a pod, a pod more than a unit. */
const informationIn = (place: Placement) =>
  Number(place.container !== '') * 4 + Number(place.podUid !== '') * 2 + Number(place.unit !== '');

/**
 * Reads /proc/<pid>/cgroup (cgroups(7); Linux 6.18), lines of `hierarchy:controllers:path`:
 *   0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod….slice/cri-containerd-….scope
 * All fields come from the path that says most; among equals from that of v2, then of systemd's own hierarchy, then the first.
 */
export function parseCgroup(text: string): Placement {
  let best = NOWHERE;
  let bestRank = 0;
  for (const { hierarchy, controllers, path } of parseMemberships(text.slice(0, TEXT_MAX))) {
    const place = parsePath(path);
    const rank = informationIn(place) * 4 + (hierarchy === '0' ? 3 : controllers === 'name=systemd' ? 2 : 1);
    if (rank > bestRank) {
      best = place;
      bestRank = rank;
    }
  }
  return best;
}

/** What /proc/<pid>/cgroup says: where a process runs, and each of the cgroups it is in. */
export interface Cgroups {
  /** The whole text. */
  readonly text: string;
  readonly place: Placement;
  readonly memberships: readonly Membership[];
}

/** Parses each text once: processes in one place have the same text, and then share one object. */
export class PlacementReader {
  readonly #known = new Map<string, Cgroups>();

  of(text: string): Cgroups {
    let known = this.#known.get(text);
    if (!known) {
      if (this.#known.size >= KNOWN_TEXTS_MAX) this.#known.clear();
      known = { text, place: parseCgroup(text), memberships: [...parseMemberships(text.slice(0, TEXT_MAX))] };
      this.#known.set(text, known);
    }
    return known;
  }
}
