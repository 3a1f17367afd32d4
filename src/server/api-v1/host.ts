// /api/v1/host
import { hostname, release } from 'node:os';
import type { Agent } from '../../agent/agent.ts';
import { coverageOf, problemsOf } from '../../agent/problems.ts';
import type { Snapshot } from '../../agent/sampler.ts';
import type { ApiRequest } from './answer.ts';
import { bytes, known, ratio, thousandths, unix } from './known.ts';
import type { DocumentOf } from './schema.ts';

export function hostDocument({ agent, snapshot }: ApiRequest): DocumentOf<'host'> {
  const { view, duration } = snapshot;
  const { capture, web_telemetry_path } = agent.config;
  const usages = view.groups.map(({ usage }) => usage).filter((usage) => usage >= 0);
  return {
    at: unix(snapshot.time),
    snapshot: snapshot.serial,
    host: {
      name: capture ? undefined : hostname(),
      kernel: capture ? undefined : release(),
      uptime_seconds: view.at,
      cpus: known(view.host.cpus),
    },
    exporter: {
      version: agent.program.version,
      start_time_seconds: unix(agent.startTime),
      telemetry_path: web_telemetry_path,
      source: capture || undefined,
    },
    problems: problemsOf(agent, snapshot),
    memory: memoryOf(snapshot),
    attributed_ratio: ratio(view.books.attributedRatio),
    coverage_ratio: ratio(coverageOf(view)),
    processes: view.seen,
    // A process that has just begun counts with its usage since then, so the sum may exceed what there is.
    cpu_percent: usages.length > 0 ? thousandths(Math.min(100 * view.host.cpus, sumOf(usages))) : undefined,
    collection: { age_seconds: unix(agent.age), duration_seconds: unix(duration) },
    history: historyOf(agent),
  };
}

const memoryOf = ({ view: { host, books } }: Snapshot): DocumentOf<'host'>['memory'] => ({
  total_bytes: bytes(host.memory.total),
  available_bytes: bytes(host.memory.available),
  swap_total_bytes: bytes(host.memory.swapTotal),
  swap_free_bytes: bytes(host.memory.swapFree),
  kinds: Object.fromEntries(books.kinds),
});

function historyOf({ history }: Agent): DocumentOf<'host'>['history'] {
  if (!history) return { seconds: 0, points: 0, step_seconds: 0, left_out: 0 };
  const points = history.points();
  const [first, last] = [points[0], points.at(-1)];
  return {
    seconds: history.span,
    from: first === undefined ? undefined : unix(history.time(first)),
    to: last === undefined ? undefined : unix(history.time(last)),
    points: points.length,
    step_seconds: history.step,
    left_out: history.groups.leftOut,
  };
}

const sumOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);
