// /api/v1/events
import type { Agent } from '../../agent/agent.ts';
import type { ApiRequest } from './answer.ts';
import { unix } from './known.ts';
import type { DocumentOf } from './schema.ts';

type HistoryEvent = ReturnType<NonNullable<Agent['history']>['events']['since']>[number];

export function eventsDocument({ agent, query }: ApiRequest): DocumentOf<'events'> {
  const events = agent.history?.events.since(query.time('since', 0)) ?? [];
  return {
    events: events.map((event) => ({
      at: unix(event.at),
      kind: event.kind,
      group: event.names?.group,
      subgroup: event.names?.subgroup,
      count: event.count || undefined,
      text: textOf(event),
    })),
  };
}

function textOf({ kind, count, names }: HistoryEvent): string {
  const processes = `${count} ${count === 1 ? 'process' : 'processes'}`;
  const of = names ? ` of ${names.group}/${names.subgroup}` : '';
  switch (kind) {
    case 'start':
      return `${processes}${of} started`;
    case 'exit':
      return `${processes}${of} ended`;
    case 'restart':
      return `every process${of} was replaced; ${processes} run now`;
    case 'oom_kill':
      return `the kernel killed ${processes}${of} because memory was used up`;
    case 'exporter_start':
      return 'this exporter started; it does not know what happened before';
    case 'reload':
      return count === 0
        ? 'the configuration was loaded again'
        : `the configuration could not be loaded again, with ${count} ${count === 1 ? 'fault' : 'faults'}; the old one is in force`;
  }
}
