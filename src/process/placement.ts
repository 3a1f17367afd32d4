// Finds out where a process runs from the names of its control groups: systemd unit and slice, container, Kubernetes pod.
//
// Each runtime names the cgroups of its containers in its own way, and one container may run inside another. The path is
// read from the root inwards, and the innermost name counts: in `/system.slice/docker-ID.scope/system.slice/nginx.service` the
// unit is nginx.service of the container, not docker's scope. Pure: any text gives a value, never an error; lengths are bounded.
import { type Membership, parseMemberships } from '../kernel/cgroup.ts';

/** Where a process runs; an empty string where its control group does not say. */
export interface Placement {
  /** Innermost systemd unit inside the innermost container ("nginx.service"); a container's own scope is not one. */
  readonly unit: string;
  /** Innermost slice ("system.slice"). */
  readonly slice: string;
  /** Innermost container: its id (64 hex digits), or its name for runtimes that use names (LXC, nspawn). */
  readonly container: string;
  /** Innermost Kubernetes pod: its uid with dashes; a static pod's is 32 hex digits. */
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

const NOWHERE: Placement = { unit: '', slice: '', container: '', podUid: '' };

/** systemd writes other characters than letters, digits and :_.- as \xNN: written as themselves where they are printable. */
function unescaped(name: string): string {
  return name.replace(/\\x([2-7][0-9a-f])/g, (written, hex: string) =>
    hex === '7f' ? written : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

interface Container {
  readonly name: string;
  /** A slice named in the same segment. */
  readonly slice?: string;
}

/** The container that a segment of the path names; undefined where it names none. `before` and `after` are the segments around it. */
function containerOf(segment: string, before: string, after: string): Container | undefined {
  if (BARE_ID.test(segment) || FARGATE_ID.test(segment)) return { name: segment };
  const scope = SCOPE_ID.exec(segment);
  if (scope) return segment.includes('-conmon-') ? undefined : { name: scope[1]! };
  const colon = COLON_ID.exec(segment);
  if (colon) return { name: colon[2]!, ...(colon[1] && { slice: colon[1] }) };
  const lxc = LXC_NAME.exec(segment);
  if (lxc) return { name: lxc[1]! };
  if (LXC_PARENT.test(before) && !segment.startsWith('lxc.')) return { name: segment };
  const machine = MACHINE.exec(segment);
  if (machine) return { name: machine[1]! };
  const nspawn = NSPAWN.exec(segment);
  return nspawn && after !== 'supervisor' ? { name: nspawn[1]! } : undefined;
}

/** Parses one path, from the root inwards: a container hides the units around it. */
export function parsePath(path: string): Placement {
  const segments = path
    .replace(/ \(deleted\)$/, '')
    .split('/', SEGMENTS_MAX)
    .filter((s) => s !== '' && s !== '..')
    .map((s) => unescaped(s).slice(0, NAME_MAX));
  let { unit, slice, container, podUid } = NOWHERE;
  for (const [i, segment] of segments.entries()) {
    podUid = podOf(segment) ?? podUid;
    const found = containerOf(segment, segments[i - 1] ?? '', segments[i + 1] ?? '');
    if (found) {
      container = found.name;
      slice = found.slice ?? slice;
      unit = '';
    } else if (segment.endsWith('.slice')) slice = segment;
    else if (UNIT.test(segment) && !(segment === 'init.scope' && unit !== '')) unit = segment;
  }
  return { unit, slice, container, podUid };
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
      known = { place: parseCgroup(text), memberships: [...parseMemberships(text.slice(0, TEXT_MAX))] };
      this.#known.set(text, known);
    }
    return known;
  }
}
