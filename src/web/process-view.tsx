// One process: what it is, what its footprint is made of, its hour, and why its PSS is as old as it is.

import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { ProcessDocument } from '../server/api-v1/schema.ts';
import { formatDuration, formatPercent } from '../text/units.ts';
import { Chart } from './chart.tsx';
import { useDocument } from './feed.ts';
import { Trail } from './head.tsx';
import type { Hour } from './history.ts';
import { NoHour } from './hour.tsx';
import type { Place } from './place.ts';
import { Bytes, Glossary, Name, timeText } from './shown.tsx';

type Explanation = ProcessDocument['explanation'];

const PARTS: Readonly<Record<string, string>> = {
  anonymous: 'Anonymous',
  file: 'Files',
  shared: 'Shared memory',
  hugetlb: 'Huge pages',
  page_tables: 'Page tables',
  kernel_stacks: 'Kernel stacks',
};

export function ProcessPage({ place }: { place: Place }) {
  const { value, fault } = useDocument<ProcessDocument>(`processes/${encodeURIComponent(place.pid ?? '')}`);
  if (!value)
    return (
      <>
        <Trail place={place} name={`process ${place.pid}`} />
        <p class={fault ? 'bad' : 'dim'}>{fault ?? 'Asking the exporter …'}</p>
      </>
    );
  const { process, history, explanation } = value;
  const { group, subgroup } = process;
  return (
    <>
      <Trail place={{ ...place, group, subgroup }} name={`${process.name} ${process.pid}`} />
      {fault && <p class="bad">{fault} What is shown is what was known last.</p>}
      {isAnother(place, process.start_time_seconds) && (
        <p class="bad">
          The process of this link has ended. The kernel gave its pid to another one, which is shown here.
        </p>
      )}
      <div class="beside">
        <section class="panel">
          <h2>
            <Name text={process.name} /> <span class="dim">{process.pid}</span>
          </h2>
          <Identity value={value} />
        </section>
        <section class="panel">
          <h2>Footprint</h2>
          <Parts value={value} />
        </section>
      </div>
      <ProcessHour history={history} />
      <section class="panel">
        <h2>Why its PSS is as old as it is</h2>
        <Facts facts={explained(explanation)} />
        <Glossary of={['Footprint', 'PSS', 'USS', 'RSS', 'Swap', 'CPU']} />
      </section>
    </>
  );
}

/** The kernel tells how long after boot a process started (proc_pid_stat(5)); as Unix time that moves when the clock is set. */
const CLOCK_SECONDS = 60;

const isAnother = ({ start }: Place, started: number): boolean =>
  start !== undefined && Math.abs(Number(start) - started) > CLOCK_SECONDS;

type Fact = readonly [name: string, value: ComponentChildren];

const Facts = ({ facts }: { facts: readonly Fact[] }) => (
  <dl class="pairs facts-list">
    {facts
      .filter(([, value]) => value !== undefined && value !== '')
      .map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
  </dl>
);

const named = (text: string | undefined) => text !== undefined && text !== '' && <Name text={text} />;

function Identity({ value: { at, process } }: { value: ProcessDocument }) {
  const { start_time_seconds: start } = process;
  const facts: Fact[] = [
    ['User', named(process.user) || undefined],
    ['Unit', named(process.unit) || undefined],
    ['Container', named(process.container_id) || undefined],
    ['Program', named(process.exe) || undefined],
    ['Rule', named(process.rule) || undefined],
    ['State', process.state],
    ['Started', `${new Date(start * 1000).toLocaleString('en-GB')} (${formatDuration(Math.max(0, at - start))} ago)`],
    ['Threads', process.threads],
    ['CPU', process.cpu_percent === undefined ? undefined : formatPercent(process.cpu_percent / 100, 1)],
  ];
  return <Facts facts={facts} />;
}

function Parts({ value: { process } }: { value: ProcessDocument }) {
  const estimated = process.estimated === true;
  const whole = process.footprint_bytes ?? 0;
  const parts = Object.entries(process.parts).flatMap(([kind, bytes]) =>
    bytes === undefined ? [] : [[PARTS[kind] ?? kind, bytes] as const],
  );
  const sums: Fact[] = [
    ['Footprint', <Bytes key="b" bytes={process.footprint_bytes} estimated={estimated} />],
    ['PSS', <Bytes key="b" bytes={process.pss_bytes} estimated={estimated} />],
    ['USS', <Bytes key="b" bytes={process.uss_bytes} estimated={estimated} />],
    ['RSS', <Bytes key="b" bytes={process.rss_bytes} />],
    ['Swap', <Bytes key="b" bytes={process.swap_bytes} />],
  ];
  return (
    <>
      <div class="bar" aria-hidden="true">
        {parts.map(([name, bytes], index) => (
          <span key={name} class={`part c${index}`} style={{ width: `${(bytes / Math.max(1, whole)) * 100}%` }} />
        ))}
      </div>
      <ul class="legend">
        {parts.map(([name, bytes], index) => (
          <li key={name}>
            <i class={`swatch c${index}`} />
            {name} <Bytes bytes={bytes} estimated={estimated} />
          </li>
        ))}
      </ul>
      <Facts facts={sums} />
    </>
  );
}

function ProcessHour({ history }: { history: ProcessDocument['history'] }) {
  const [point, setPoint] = useState<number>();
  if (!history || history.at.length < 2)
    return (
      <NoHour head="The last hour">
        The exporter keeps the history of the largest processes of each subgroup; this is none of them yet.
      </NoHour>
    );
  const series = new Map([['footprint', history.footprint_bytes]]);
  const hour: Hour = { at: history.at, series, names: new Map() };
  const index = Math.min(point ?? Number.POSITIVE_INFINITY, history.at.length - 1);
  const cpu = history.cpu_percent[index];
  return (
    <section class="panel">
      <h2>Footprint over time</h2>
      <Chart
        label={`Footprint of the process over ${Math.round((history.at.at(-1)! - history.at[0]!) / 60)} minutes`}
        hour={hour}
        keys={['footprint']}
        colourOf={() => 'c0'}
        span={undefined}
        onSelect={() => {}}
        onPoint={setPoint}
      />
      <p class="dim">
        {timeText(history.at[index]!)}: <Bytes bytes={history.footprint_bytes[index] ?? undefined} />
        {typeof cpu === 'number' && `, CPU ${formatPercent(cpu / 100, 1)}`}
      </p>
    </section>
  );
}

const STATES: Readonly<Record<string, string>> = {
  read: 'the last collection read it',
  reading: 'it is being read now',
  waiting: 'it waits for its turn within the budget',
  unchanged: 'its memory has not changed enough since the last reading',
  large: 'it would take longer than smaps_max_read, so it is read rarely',
  unreadable: 'it cannot be read',
  nothing: 'it has no memory of its own',
  off: 'reading PSS is switched off',
};

const seconds = (value: number | undefined) => (value === undefined ? undefined : formatDuration(value));

function explained({ smaps, series }: Explanation): Fact[] {
  return [
    ['State', STATES[smaps.state] ?? smaps.state],
    ['Reason to read', smaps.need],
    ['Failure', smaps.failure],
    [
      'The value is',
      smaps.source === 'read'
        ? 'a reading'
        : smaps.source === 'estimated'
          ? 'an estimate since the last reading'
          : undefined,
    ],
    ['Age of the reading', seconds(smaps.age_seconds)],
    ['A reading takes', seconds(smaps.predicted_seconds)],
    ['Changed since', smaps.moved_bytes === undefined ? undefined : <Bytes key="b" bytes={smaps.moved_bytes} />],
    [
      'Changed by relatives',
      smaps.moved_by_relatives_bytes === undefined ? undefined : (
        <Bytes key="b" bytes={smaps.moved_by_relatives_bytes} />
      ),
    ],
    [
      'Read when it changes by',
      smaps.worth_bytes === undefined ? undefined : <Bytes key="b" bytes={smaps.worth_bytes} />,
    ],
    ['Read anyway in', seconds(smaps.next_turn_seconds)],
    ['Has series in the metrics', series ? 'yes' : 'no'],
  ];
}
