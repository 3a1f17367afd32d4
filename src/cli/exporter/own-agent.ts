// An exporter inside this program, for a verb that finds none running. It serves no port, it reads no footprint that the
// settings forbid, and it answers like the API of the running one, because it is the same code.
import type { IncomingMessage } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import { Agent, type Setup } from '../../agent/agent.ts';
import { answer as answerOfApi } from '../../server/api-v1/answer.ts';
import type { DocumentName } from '../../server/api-v1/documents.ts';
import { openHost } from '../load-host.ts';
import { program } from '../program.ts';
import { VerbError } from '../verb.ts';
import type { Answer, Question } from './client.ts';
import type { Answerer } from './host-api.ts';

/** A CPU percentage is the difference of two collections, so far apart, milliseconds. */
const APART_MS = 500;

export class OwnAgent implements Answerer {
  readonly #agent: Agent;

  private constructor(agent: Agent) {
    this.#agent = agent;
  }

  /**
   * Collects, and again half a second later: only then are CPU percentages known.
   * @param exact whether every footprint is read at the second collection, whatever that costs the host
   * @throws VerbError where nothing can be collected
   */
  static async collected(setup: Setup, exact = false): Promise<OwnAgent> {
    const files = await openHost(setup.config);
    // Errors stand in the answers, and log lines would spoil the terminal. The user of this program may see whose processes run.
    const config = { ...setup.config, log_level: 'error', process_info: true } as const;
    const own = { ...setup, config };
    const footprints = { smaps: 'exact', enable_pss: true, enable_uss: true } as const;
    const first = exact ? { ...own, config: { ...config, smaps: 'off' } as const } : own;
    const second = exact ? { ...own, config: { ...config, ...footprints } } : own;
    const agent = new Agent(files, program, first, async () => second, true);
    await agent.collect();
    await setTimeout(APART_MS);
    if (exact) await agent.reload();
    await agent.collect();
    if (!agent.snapshot) throw new VerbError(`nothing could be collected: ${agent.unhealthy ?? 'see check'}`);
    return new OwnAgent(agent);
  }

  /** Processes whose files do not answer. */
  get hung(): readonly number[] {
    return this.#agent.snapshot!.view.hung;
  }

  /** Collects from now on at every interval. */
  start(): void {
    this.#agent.start();
  }

  stop(): void {
    this.#agent.stop();
  }

  async collect(): Promise<void> {
    await this.#agent.collect();
  }

  async get({ path, known }: Question, name: DocumentName): Promise<Answer> {
    const headers = known ? { 'if-none-match': known } : {};
    const {
      status,
      body,
      headers: sent,
    } = await answerOfApi(name, this.#agent, { url: path, headers } as IncomingMessage);
    return { status, body: typeof body === 'string' ? body : Buffer.concat(body).toString(), etag: sent?.etag ?? '' };
  }

  complaint({ status, body }: Answer): string {
    return `status ${status}: ${body.trim()}`;
  }
}
