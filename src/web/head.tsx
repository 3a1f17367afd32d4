// What stands at the top of every place: which host this is, whether all is well, what is wrong, and where in it the
// reader is.

import type { HostDocument, HostProblem } from '../server/api-v1/schema.ts';
import { formatDuration, formatPercent } from '../text/units.ts';
import type { Latest } from './feed.ts';
import { onward, type Place } from './place.ts';
import { Name, PlaceLink, timeText, visible } from './shown.tsx';

export function Head({ host: { value, fault }, place }: { host: Latest<HostDocument>; place: Place }) {
  if (!value) return <p class="dim">{fault ?? 'Asking the exporter …'}</p>;
  const { host, exporter } = value;
  const wrong = value.problems.filter(({ severity }) => severity !== 'info').length + (fault ? 1 : 0);
  const facts = [
    host.kernel && `Linux ${host.kernel}`,
    host.uptime_seconds !== undefined && `up ${formatDuration(host.uptime_seconds)}`,
    host.cpus !== undefined && `${host.cpus} CPUs`,
    value.processes !== undefined && `${value.processes.toLocaleString('en')} processes`,
    value.cpu_percent !== undefined && `CPU ${formatPercent(value.cpu_percent / 100)}`,
  ].filter((fact) => typeof fact === 'string');
  return (
    <header class="head">
      <h1>
        <PlaceLink to={onward(place, { page: 'overview' })}>
          <Name text={host.name ?? exporter.source ?? 'Host without a name'} />
        </PlaceLink>
      </h1>
      <p class="facts">{facts.map((fact) => visible(fact)).join(' · ')}</p>
      <p class={wrong > 0 ? 'state bad' : 'state good'} role="status">
        {wrong === 0 ? 'All is well' : wrong === 1 ? '1 problem' : `${wrong} problems`}
      </p>
      <Problems problems={value.problems} fault={fault} at={value.at} />
    </header>
  );
}

function Problems({
  problems,
  fault,
  at,
}: {
  problems: readonly HostProblem[];
  fault: string | undefined;
  at: number;
}) {
  const lost: HostProblem[] = fault
    ? [{ severity: 'critical', what: `${fault} What is shown is of ${timeText(at)}.` }]
    : [];
  const wrong = [...lost, ...problems.filter(({ severity }) => severity !== 'info')];
  const notes = problems.filter(({ severity }) => severity === 'info');
  return (
    <>
      {wrong.length > 0 && <ProblemList problems={wrong} class="problems bad" />}
      {notes.length > 0 && (
        <details class="notes">
          <summary>{notes.length === 1 ? '1 note' : `${notes.length} notes`}</summary>
          <ProblemList problems={notes} class="dim" />
        </details>
      )}
    </>
  );
}

const ProblemList = ({ problems, class: className }: { problems: readonly HostProblem[]; class: string }) => (
  <ul class={className}>
    {problems.map(({ what, remedy }) => (
      <li key={what}>
        <Name text={what} />
        {remedy && (
          <small>
            <Name text={remedy} />
          </small>
        )}
      </li>
    ))}
  </ul>
);

/** Host › group › subgroup › process. */
export function Trail({ place, name }: { place: Place; name?: string | undefined }) {
  if (place.page === 'overview') return null;
  const { group, subgroup } = place;
  return (
    <nav class="trail" aria-label="Where this is">
      <PlaceLink to={onward(place, { page: 'overview' })}>All groups</PlaceLink>
      {group !== undefined && (
        <>
          <span aria-hidden="true">›</span>
          <PlaceLink to={onward(place, { page: 'group', group })}>
            <Name text={group} />
          </PlaceLink>
        </>
      )}
      {group !== undefined && subgroup !== undefined && (
        <>
          <span aria-hidden="true">›</span>
          <PlaceLink to={onward(place, { page: 'group', group, subgroup })}>
            <Name text={subgroup} />
          </PlaceLink>
        </>
      )}
      {name !== undefined && (
        <>
          <span aria-hidden="true">›</span>
          <Name text={name} />
        </>
      )}
    </nav>
  );
}

export function Foot({ host: { value } }: { host: Latest<HostDocument> }) {
  if (!value) return null;
  const { exporter, collection } = value;
  const facts = [
    `Herakles ${exporter.version}`,
    `running for ${formatDuration(Math.max(0, value.at - exporter.start_time_seconds))}`,
    collection?.duration_seconds !== undefined && `a collection takes ${formatDuration(collection.duration_seconds)}`,
    `numbers of ${timeText(value.at)}`,
  ].filter((fact) => typeof fact === 'string');
  return (
    <footer class="foot">
      <span class="dim">{facts.join(' · ')}</span>
      <nav aria-label="Pages">
        <a href="./rules">rules</a>
        <a href="./config">configuration</a>
        <a href="./runbooks">runbooks</a>
        <a href={`.${exporter.telemetry_path}`}>metrics</a>
      </nav>
    </footer>
  );
}
