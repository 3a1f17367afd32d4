// /api/v1/processes/<pid>
import type { Agent } from '../../agent/agent.ts';
import { explanationDocument } from '../api.ts';
import type { ApiRequest } from './answer.ts';
import { processValues } from './history.ts';
import { bytes, thousandths, unix } from './known.ts';
import { aboutProcess } from './processes.ts';
import { ApiFault, shown } from './query.ts';
import type { DocumentOf } from './schema.ts';

/** The largest pid there can be (proc_sys_kernel(5), pid_max). */
const PID_MAX = 4_194_304;

export function processDocument({ agent, snapshot, value }: ApiRequest): DocumentOf<'process'> {
  const pid = /^[1-9]\d{0,6}$/.test(value) ? Number(value) : 0;
  if (pid === 0 || pid > PID_MAX)
    throw new ApiFault(
      400,
      `${shown(value)} is not a pid; ask for /api/v1/processes/ and an integer from 1 to ${PID_MAX}`,
    );
  const observed = agent.observed(pid);
  if (!observed)
    throw new ApiFault(
      404,
      `process ${pid} was not seen at the last collection, ${agent.age.toFixed(1)} s ago; it has ended, or it began after that`,
    );
  const { proc, parts } = observed;
  const { identity, group, subgroup } = proc.description;
  if (!agent.wants(identity.name, group, subgroup))
    throw new ApiFault(
      404,
      `the settings hide process ${pid}: include_names, exclude_names, search_mode or disable_others`,
    );
  const { series, collection_age_seconds, smaps } = explanationDocument(agent, observed);
  return {
    at: unix(snapshot.time),
    snapshot: snapshot.serial,
    process: {
      ...aboutProcess(agent, proc.description),
      footprint_bytes: bytes(observed.occupied),
      pss_bytes: bytes(proc.footprint.pss),
      uss_bytes: bytes(proc.footprint.uss),
      rss_bytes: bytes(proc.memory.rss),
      swap_bytes: bytes(proc.footprint.swap),
      cpu_percent: thousandths(proc.usage.percent),
      estimated: observed.estimated || undefined,
      state: observed.state,
      exe: (agent.config.process_info && identity.exe) || undefined,
      threads: proc.stat.threads,
      parts: {
        anonymous: bytes(parts.anonymous),
        file: bytes(parts.file),
        shared: bytes(parts.shared),
        hugetlb: bytes(parts.hugetlb),
        page_tables: bytes(parts.pageTables),
        kernel_stacks: bytes(parts.kernelStacks),
      },
    },
    explanation: { series, collection_age_seconds, smaps },
    history: historyOf(agent, pid, proc.description.startTime),
  };
}

function historyOf({ history }: Agent, pid: number, startTime: number): DocumentOf<'process'>['history'] {
  const series = history?.processes.find(pid);
  if (!history || series?.startTime !== startTime) return undefined;
  const points = history.points();
  return { at: points.map((point) => unix(history.time(point))), ...processValues(history, points, series) };
}
