// /api/v1/history and /api/v1/events
import type { ApiRequest } from './answer.ts';
import type { DocumentOf } from './schema.ts';

const OF = /^(?:host|groups|group:.+|(?:subgroup|processes):.+\/.+|process:[1-9]\d{0,6})$/s;

export function historyDocument({ query }: ApiRequest): DocumentOf<'history'> {
  const of = query.text('of') ?? '';
  if (!OF.test(of)) query.wrong('of');
  return { of, at: [], series: [] };
}

export function eventsDocument({ query }: ApiRequest): DocumentOf<'events'> {
  query.time('since', 0);
  return { events: [] };
}
