// Keeps pages for a second, so that a client that asks for one again and again costs no more than the first request: the
// list of 10,000 rules takes longer to make than most collections. All readers of a page share its bytes.
import type { Agent } from '../agent/agent.ts';
import { clock } from '../agent/time-slices.ts';
import type { RouteResponse } from './responses.ts';

const KEPT_SECONDS = 1;

interface Kept {
  /** What the page was made from: a page of an older configuration or reload is not kept. */
  readonly setup: Agent['setup'];
  readonly reload: Agent['lastReload'];
  /** Seconds on the clock of time-slices.ts. */
  readonly at: number;
  readonly response: Promise<RouteResponse>;
}

export class RecentPages {
  readonly #agent: Agent;
  readonly #kept = new Map<string, Kept>();

  constructor(agent: Agent) {
    this.#agent = agent;
  }

  /** The page that was made within the last second, or the one that `make` makes. @param key one of a fixed set */
  get(key: string, make: () => Promise<RouteResponse>): Promise<RouteResponse> {
    const { setup, lastReload: reload } = this.#agent;
    const kept = this.#kept.get(key);
    const now = clock();
    if (kept?.setup === setup && kept.reload === reload && now - kept.at < KEPT_SECONDS) return kept.response;
    const response = make().then(sharedByReaders);
    this.#kept.set(key, { setup, reload, at: now, response });
    response.catch(() => this.#kept.delete(key));
    return response;
  }
}

function sharedByReaders(response: RouteResponse): RouteResponse {
  if (typeof response.body !== 'string') return response;
  const body = Buffer.from(response.body);
  return { ...response, body: [body], shared: [{ name: '', bytes: body.length }] };
}
