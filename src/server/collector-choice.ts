// Which collectors a scrape asks for: collect[] and exclude[] in its query, as node_exporter has them. Example:
// /metrics?collect[]=group&collect[]=system has the families of two collectors only.
import type { Agent } from '../agent/agent.ts';
import { escapeForTerminal } from '../text/hostile.ts';

export interface CollectorChoice {
  /** Undefined: the query names none, so all that are switched on are meant. */
  readonly chosen?: ReadonlySet<string>;
  /** What is wrong with the query, and what to do instead. */
  readonly fault?: string;
}

/** Characters of a wrong name that the message repeats. */
const SHOWN_MAX = 40;

export function collectorChoice(url: string, collectors: Agent['collectors']): CollectorChoice {
  const query = new URLSearchParams(url.split('?', 2)[1]);
  const [collect, exclude] = [query.getAll('collect[]'), query.getAll('exclude[]')];
  if (collect.length === 0 && exclude.length === 0) return {};
  if (collect.length > 0 && exclude.length > 0)
    return { fault: 'collect[] and exclude[] cannot be combined; keep one of them' };
  const running = collectors.filter((collector) => collector.running).map(({ name }) => name);
  const list = collectors.map(({ name }) => name).join(', ');
  for (const name of [...collect, ...exclude])
    if (!collectors.some((collector) => collector.name === name))
      return {
        fault: `there is no collector ${escapeForTerminal(JSON.stringify(name.slice(0, SHOWN_MAX)))}; the collectors are ${list}`,
      };
  const off = collect.find((name) => !running.includes(name));
  if (off !== undefined)
    return { fault: `the collector ${off} is switched off; set collector_${off} to true, or do not ask for it` };
  return { chosen: new Set(collect.length > 0 ? collect : running.filter((name) => !exclude.includes(name))) };
}
