// What happened in the hour, as far as it is rare: kills for memory, restarts, reloads. Births and exits of processes are
// in the numbers already.
import type { EventsDocument } from '../server/api-v1/schema.ts';
import { type Source, useSource } from './feed.ts';
import { Name, timeText } from './shown.tsx';

type Event = EventsDocument['events'][number];

const FREQUENT: readonly Event['kind'][] = ['start', 'exit'];
const SHOWN_MAX = 12;

/** The newest events first. Only the first request is for all of them. */
export function notableEvents(): Source<readonly Event[]> {
  let last = 0;
  let notable: readonly Event[] = [];
  return {
    every: 15,
    address: () => (last === 0 ? 'events' : `events?since=${(last + 0.001).toFixed(3)}`),
    merge: (answer) => {
      const { events } = answer as EventsDocument;
      last = events.reduce((latest, { at }) => Math.max(latest, at), last);
      const fresh = events.filter(({ kind }) => !FREQUENT.includes(kind));
      if (fresh.length > 0) notable = [...fresh.reverse(), ...notable].slice(0, SHOWN_MAX);
      return notable;
    },
  };
}

export function EventList() {
  const { value: events = [] } = useSource('notable events', notableEvents);
  if (events.length === 0) return null;
  return (
    <section class="panel">
      <h2>What happened</h2>
      <ul class="events">
        {events.map(({ at, kind, text }) => (
          <li key={`${at} ${text}`} class={kind === 'oom_kill' ? 'bad' : undefined}>
            <time class="dim">{timeText(at)}</time> <Name text={text} />
          </li>
        ))}
      </ul>
    </section>
  );
}
