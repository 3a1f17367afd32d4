// /api/v1/processes. Processes without series of their own are listed as well, because limits of series say nothing of what
// an operator may see; processes that the operator hides by their names are not (docs/decisions/0022).
import type { Agent } from '../../agent/agent.ts';
import type { Snapshot } from '../../agent/sampler.ts';
import { inSlices } from '../../agent/time-slices.ts';
import type { ApiRequest } from './answer.ts';
import { LIMIT_DEFAULT, LIMIT_MAX, SORTS } from './documents.ts';
import { bytes, thousandths, unix } from './known.ts';
import type { ProcessEntry, ProcessesDocument } from './schema.ts';

type Rows = Snapshot['view']['rows'];
type Description = Rows['description'][number];

/** Processes that are looked at, or written, together. */
const STEP = 256;

export async function processesDocument({ agent, snapshot, query }: ApiRequest): Promise<ProcessesDocument> {
  const group = query.text('group');
  const subgroup = query.text('subgroup');
  const sort = query.choice('sort', SORTS, 'footprint');
  const limit = query.count('limit', LIMIT_MAX, LIMIT_DEFAULT);
  const { rows, groups } = snapshot.view;
  const asked = (description: Pick<Description, 'group' | 'subgroup'>): boolean =>
    (group === undefined || description.group === group) &&
    (subgroup === undefined || description.subgroup === subgroup);
  const found = await inSlices(find(agent, rows, asked));
  const processes = await inSlices(entries(agent, rows, sorted(rows, found.rows, sort).slice(0, limit)));
  const { hidden } = found;
  const { length: total } = found.rows;
  const all = groups.reduce((sum, { counters, processes }) => sum + (asked(counters) ? processes : 0), 0);
  const unlisted = all - total - hidden;
  return { at: unix(snapshot.time), snapshot: snapshot.serial, total, hidden, unlisted, processes };
}

/** The rows that are asked for, and how many of them the operator hides. */
function* find(agent: Agent, rows: Rows, asked: (description: Description) => boolean) {
  const found = { rows: [] as number[], hidden: 0 };
  for (let row = 0; row < rows.length; row++) {
    if (row % STEP === STEP - 1) yield;
    const description = rows.description[row]!;
    if (!asked(description)) continue;
    const { identity, group, subgroup } = description;
    if (agent.wants(identity.name, group, subgroup)) found.rows.push(row);
    else found.hidden++;
  }
  return found;
}

/** Largest first, what is not known last; names, pids and ages smallest first. Equal ones by pid. */
function sorted(rows: Rows, found: readonly number[], sort: (typeof SORTS)[number]): number[] {
  const names = found.map((row) => (sort === 'name' ? rows.description[row]!.identity.name : ''));
  const sizes = Float64Array.from(found, (row) => sizeOf(rows, row, sort));
  const order = found.map((_, index) => index);
  order.sort((a, b) => {
    const [name, other] = [names[a]!, names[b]!];
    const byName = name < other ? -1 : name > other ? 1 : 0;
    return byName || sizes[b]! - sizes[a]! || rows.description[found[a]!]!.pid - rows.description[found[b]!]!.pid;
  });
  return order.map((index) => found[index]!);
}

/** What is sorted by, largest first; what is not known is smaller than everything. */
function sizeOf(rows: Rows, row: number, sort: (typeof SORTS)[number]): number {
  if (sort === 'name' || sort === 'pid') return 0;
  if (sort === 'age') return rows.description[row]!.startTime;
  const value = rows[sort === 'cpu' ? 'usage' : sort][row]!;
  return value >= 0 ? value : -1;
}

function* entries(agent: Agent, rows: Rows, wanted: readonly number[]): Generator<void, ProcessEntry[], void> {
  const made: ProcessEntry[] = [];
  for (const row of wanted) {
    if (made.length % STEP === STEP - 1) yield;
    made.push({
      ...aboutProcess(agent, rows.description[row]!),
      footprint_bytes: bytes(rows.footprint[row]!),
      pss_bytes: bytes(rows.pss[row]!),
      uss_bytes: bytes(rows.uss[row]!),
      rss_bytes: bytes(rows.rss[row]!),
      swap_bytes: bytes(rows.swap[row]!),
      cpu_percent: thousandths(rows.usage[row]!),
      estimated: rows.estimated[row] === 1 || undefined,
      state: rows.stateOf(row),
    });
  }
  return made;
}

/** What a process is. Who it belongs to is said only where the metrics say it too: process_info. */
export function aboutProcess({ config }: Agent, { pid, identity, group, subgroup, rule, startTime }: Description) {
  const { name, user, unit, container } = identity;
  const more = config.process_info;
  return {
    pid,
    name,
    group,
    subgroup,
    user: (more && user) || undefined,
    unit: (more && unit) || undefined,
    container_id: (more && container) || undefined,
    rule: more ? rule : undefined,
    start_time_seconds: unix(startTime),
  };
}
