// Runs a real Prometheus on loopback and asks it over its HTTP API.
import { writeFileSync } from 'node:fs';
import { eventually, freePort, type Scope, Started, scratch } from './harness.ts';

export type Series = { metric: Record<string, string>; value: number };
export type Answer = { result: Series[]; warnings: string[] };

type Response<T> = { status: string; data: T; error?: string; warnings?: string[]; infos?: string[] };
type Targets = { activeTargets: { health: string; lastError: string; scrapeUrl: string }[] };
type Result = { resultType: string; result: { metric: Record<string, string>; value: [number, string] }[] };

export class Prometheus {
  readonly url: string;
  readonly process: Started;

  constructor(url: string, proc: Started) {
    this.url = url;
    this.process = proc;
  }

  /** One answer of the HTTP API; what Prometheus refuses is thrown with its reason. */
  async api<T>(path: string, parameters: Record<string, string> = {}): Promise<Response<T>> {
    const response = await fetch(`${this.url}/api/v1/${path}?${new URLSearchParams(parameters)}`);
    const body = (await response.json()) as Response<T>;
    if (body.status !== 'success') throw new Error(`${path} ${JSON.stringify(parameters)}: ${body.error}`);
    return body;
  }

  /** The instant vector of an expression, now or at a unix time. */
  async query(expression: string, time?: number): Promise<Answer> {
    const parameters = { query: expression, ...(time === undefined ? {} : { time: String(time) }) };
    const { data, warnings = [], infos = [] } = await this.api<Result>('query', parameters);
    if (data.resultType !== 'vector') throw new Error(`${expression} is a ${data.resultType}`);
    const result = data.result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
    return { result, warnings: [...warnings, ...infos] };
  }
}

/**
 * Starts the given binary with a configuration and waits until every target of it is up and its samples are there.
 * JSON is YAML, so the configuration is written as it is.
 */
export async function startPrometheus(t: Scope, binary: string, config: object): Promise<Prometheus> {
  const dir = scratch();
  const port = await freePort();
  writeFileSync(`${dir}/prometheus.yml`, JSON.stringify(config));
  const flags = [`--config.file=${dir}/prometheus.yml`, `--storage.tsdb.path=${dir}/data`, '--log.level=warn'];
  const proc = new Started(t, [binary, ...flags, `--web.listen-address=127.0.0.1:${port}`], { cwd: dir });
  const server = new Prometheus(`http://127.0.0.1:${port}`, proc);
  await eventually(async () => {
    if (!proc.running) throw new Error(`Prometheus ended: ${proc.stderr}`);
    const { activeTargets } = (await server.api<Targets>('targets')).data;
    const down = activeTargets.filter((target) => target.health !== 'up');
    if (activeTargets.length === 0) throw new Error('no targets yet');
    if (down.length > 0)
      throw new Error(down.map((target) => `${target.scrapeUrl}: ${target.health} ${target.lastError}`).join('\n'));
    // A target is said to be up a moment before its samples can be asked for.
    const { result } = await server.query('count(up == 1)');
    if (result[0]?.value !== activeTargets.length) throw new Error(`samples of ${result[0]?.value ?? 0} targets`);
  }, 90_000);
  return server;
}
