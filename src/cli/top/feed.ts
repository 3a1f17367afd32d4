// Brings what the screen shows: asks the exporter for the documents of the place that the user looks at. What is known stays
// on the screen while an exporter does not answer; it is asked again until it does.
import { clock } from '../../agent/time-slices.ts';
import { AskError } from '../exporter/endpoints.ts';
import type { HostApi } from '../exporter/host-api.ts';
import type { ScreenData } from './frame.ts';
import type { ListPlace } from './navigation.ts';

/** Processes that are asked for: all that the API gives. */
const LIMIT = 10_000;
/** Points of the hour: more than a chart in a list has cells. */
const POINTS = 60;

export class Feed {
  readonly #api: HostApi;
  readonly #source: string;
  #data: Omit<ScreenData, 'sinceAnswer' | 'failure' | 'source'> = { host: undefined, hour: new Map() };
  #failure: string | undefined;
  /** When the newest document of the host was made, seconds on the clock of time-slices.ts, and its text as it was asked for. */
  #answeredAt = Number.NaN;

  /** @param source who answers, for people */
  constructor(api: HostApi, source: string) {
    this.#api = api;
    this.#source = source;
  }

  get data(): ScreenData {
    const sinceAnswer = clock() - this.#answeredAt || 0;
    return { ...this.#data, sinceAnswer, failure: this.#failure, source: this.#source };
  }

  /** Asks for what the place shows. Never fails: that there is no answer is shown. */
  async refresh({ view, of, pid }: ListPlace): Promise<void> {
    try {
      await this.#refreshHost();
      if (view === 'groups') await this.#refreshGroups();
      if (view === 'processes') {
        const query = new URLSearchParams({ limit: String(LIMIT), ...of });
        this.#data = { ...this.#data, processes: await this.#api.ask('processes', `processes?${query}`) };
      }
      if (view === 'process')
        this.#data = { ...this.#data, process: (await this.#api.ask('process', `processes/${pid}`)) ?? null };
      this.#failure = undefined;
    } catch (error) {
      if (!(error instanceof AskError)) throw error;
      this.#failure = error.message;
    }
  }

  /** Forgets what was shown at another place: an old process must not stand for a new one. */
  leave(): void {
    this.#data = { ...this.#data, processes: undefined, process: undefined };
  }

  async #refreshHost(): Promise<void> {
    const host = await this.#api.ask('host', 'host');
    if (host === this.#data.host) return;
    this.#answeredAt = clock();
    this.#data = { ...this.#data, host };
  }

  async #refreshGroups(): Promise<void> {
    const groups = await this.#api.ask('groups', 'groups');
    const points = this.#data.host?.history.points ?? 0;
    const history = points > 1 ? await this.#api.ask('history', `history?of=groups&points=${POINTS}`) : undefined;
    const hour = new Map(history?.series.map(({ key, footprint_bytes }) => [key, footprint_bytes]));
    this.#data = { ...this.#data, groups, hour };
  }
}
