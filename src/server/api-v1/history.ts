// /api/v1/history: what the agent keeps, as series with one value for each time. What the operator hides by name is not there.
import type { Agent } from '../../agent/agent.ts';
import type { ApiRequest } from './answer.ts';
import { POINTS_MAX } from './documents.ts';
import { unix } from './known.ts';
import { ApiFault, shown } from './query.ts';
import type { DocumentOf } from './schema.ts';

type History = NonNullable<Agent['history']>;
type GroupSeries = History['groups']['series'][number];
type ProcessSeries = History['processes']['series'][number];
type Series = DocumentOf<'history'>['series'][number];
type Value = number | null;

const OF = /^(?:(host|groups)|(group|subgroup|processes|process):(.+))$/s;

export function historyDocument({ agent, query }: ApiRequest): DocumentOf<'history'> {
  const of = query.text('of') ?? '';
  const [from, to] = [query.time('from', 0), query.time('to', Number.POSITIVE_INFINITY)];
  const most = query.count('points', POINTS_MAX, POINTS_MAX);
  const [, whole, kind = whole, name = ''] = OF.exec(of) ?? [];
  const asked = SERIES[kind ?? ''] ?? query.wrong('of');
  const { history } = agent;
  if (!history) return { of, at: [], series: [] };
  const points = history.points(from, to, most);
  const series = asked(agent, history, points, name);
  const known = kind === 'processes' && history.groups.series.some((each) => nameOf(each) === name);
  if (series.length === 0 && name !== '' && !known) throw new ApiFault(404, unknown(kind!, name));
  return { of, at: points.map((point) => unix(history.time(point))), series };
}

const SERIES: Readonly<
  Record<string, (agent: Agent, history: History, points: readonly number[], name: string) => Series[]>
> = {
  host: (_, history, points) => hostSeries(history, points),
  groups: (_, history, points) => history.groups.series.map((each) => groupSeries(history, points, each)),
  group: (_, history, points, name) =>
    history.groups.series.filter(({ group }) => group === name).map((each) => groupSeries(history, points, each)),
  subgroup: (_, history, points, name) =>
    history.groups.series
      .filter((each) => nameOf(each) === name)
      .map((each) => ({ ...groupSeries(history, points, each), kinds: kindsOf(history, points, each) })),
  processes: (agent, history, points, name) =>
    history.processes.series
      .filter((each) => nameOf(each) === name && isWanted(agent, each))
      .map((each) => processSeries(history, points, each)),
  process: (agent, history, points, name) => {
    const found = /^[1-9]\d{0,6}$/.test(name) ? history.processes.find(Number(name)) : undefined;
    return found && isWanted(agent, found) ? [processSeries(history, points, found)] : [];
  },
};

const nameOf = ({ group, subgroup }: { readonly group: string; readonly subgroup: string }): string =>
  `${group}/${subgroup}`;

const isWanted = (agent: Agent, { name, group, subgroup }: ProcessSeries): boolean =>
  agent.wants(name, group, subgroup);

const unknown = (kind: string, name: string): string =>
  kind === 'process' || kind === 'processes'
    ? `there is no history of ${kind} ${shown(name)}; it is kept of the largest processes of each subgroup`
    : `there is no history of ${kind} ${shown(name)}; /api/v1/history?of=groups has all that there are`;

function hostSeries(history: History, points: readonly number[]): Series[] {
  return history.hostKinds
    .map((key, kind) => ({
      key,
      footprint_bytes: points.map((point) => whole(history.hostBytes(kind, point))),
    }))
    .filter(({ footprint_bytes }) => footprint_bytes.some((value) => value !== null));
}

const groupSeries = (history: History, points: readonly number[], series: GroupSeries): Series => ({
  key: nameOf(series),
  footprint_bytes: points.map((point) => whole(history.groups.footprint(series, point))),
  cpu_percent: points.map((point) => hundredths(history.groups.store.cpu(series.place, point))),
});

const kindsOf = (history: History, points: readonly number[], series: GroupSeries): Record<string, Value[]> =>
  Object.fromEntries(
    history.groupKinds.map((name, kind) => [
      name,
      points.map((point) => whole(history.groups.kind(series, kind, point))),
    ]),
  );

const processSeries = (history: History, points: readonly number[], series: ProcessSeries): Series => ({
  key: String(series.pid),
  name: series.name,
  start_time_seconds: unix(series.startTime),
  ...processValues(history, points, series),
});

/** Footprint and CPU of a process at these points. */
export const processValues = (
  { processes: { store } }: History,
  points: readonly number[],
  { place }: ProcessSeries,
) => ({
  footprint_bytes: points.map((point) => whole(store.bytes(place, 0, point))),
  cpu_percent: points.map((point) => hundredths(store.cpu(place, point))),
});

const whole = (value: number): Value => (Number.isNaN(value) ? null : Math.round(value));
const hundredths = (value: number): Value => (Number.isNaN(value) ? null : Math.round(value * 100) / 100);
