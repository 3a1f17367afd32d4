// What is wrong, the worst first: a sentence each, and a remedy where there is one that would help this very process. The
// API has them (/api/v1/host), and what shows the host begins with them.
import type { ProcessView } from '../view/view.ts';
import type { Agent } from './agent.ts';
import { accessTo, grantFor, hiddenAdvice, lastingFailures, UNIT_SETTING } from './capabilities.ts';
import type { Snapshot } from './sampler.ts';
import { NAMES_LISTED_MAX } from './unknown-names.ts';

export interface Problem {
  readonly severity: 'critical' | 'warning' | 'info';
  readonly what: string;
  readonly remedy?: string;
}

/** Faults of a reload, and pids, that one sentence names at most. */
const NAMED_MAX = 5;
/** Less than this share of the RSS measured: footprints are estimates for a large part. */
const COVERAGE_MIN = 0.8;

const SEVERITIES: readonly Problem['severity'][] = ['critical', 'warning', 'info'];

export function problemsOf(agent: Agent, snapshot: Snapshot): Problem[] {
  const { view } = snapshot;
  const all = [
    ...ofExporter(agent),
    ...ofDeclaredGroups(view),
    ...ofNames(agent),
    ...ofSeries(snapshot),
    ...ofReading(agent, view),
    ...ofCoverage(agent, view),
    ...ofContradictions(view),
  ];
  return all.sort((a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity));
}

/** Share of the resident memory of all processes whose PSS is measured and fresh; NaN where there is none. */
export function coverageOf({ groups }: ProcessView): number {
  let [rss, fresh] = [0, 0];
  for (const group of groups) {
    rss += group.rss;
    fresh += group.coverage > 0 ? group.coverage * group.rss : 0;
  }
  return fresh / rss;
}

function* ofExporter(agent: Agent): Generator<Problem> {
  if (agent.unhealthy) yield { severity: 'critical', what: agent.unhealthy, remedy: 'read the log of the exporter' };
  const { ok, faults } = agent.lastReload;
  if (ok) return;
  const more = faults.length > NAMED_MAX ? `; and ${faults.length - NAMED_MAX} more` : '';
  yield {
    severity: 'critical',
    what: `the configuration could not be loaded again, the old one is in force: ${faults.slice(0, NAMED_MAX).join('; ')}${more}`,
    remedy: 'correct it and reload; herakles-node-exporter check prints every fault',
  };
}

function* ofDeclaredGroups({ groups }: ProcessView): Generator<Problem> {
  for (const { counters, processes } of groups) {
    if (!counters.declared || processes > 0) continue;
    const name = `${counters.group}/${counters.subgroup}`;
    yield {
      severity: 'critical',
      what: `no process of the declared group ${name} runs`,
      remedy: 'start it, or take it out of declared_groups',
    };
  }
}

function* ofNames({ unknownNames }: Agent): Generator<Problem> {
  for (const { setting, name, remedy } of unknownNames.slice(0, NAMES_LISTED_MAX))
    yield { severity: 'warning', what: `${setting} names ${name}, which no rule has`, remedy };
  const more = unknownNames.length - NAMES_LISTED_MAX;
  if (more > 0)
    yield {
      severity: 'warning',
      what: `settings name ${more} more groups that no rule has`,
      remedy: 'herakles-node-exporter check prints them',
    };
}

function* ofSeries({ dropped }: Snapshot): Generator<Problem> {
  let series = 0;
  for (const count of dropped.values()) series += count;
  if (series > 0)
    yield {
      severity: 'warning',
      what: `${series} series are left out to stay within max_series`,
      remedy: 'raise it, or set per_process to top or none',
    };
}

function* ofReading({ privileges }: Agent, { unreadable, hung }: ProcessView): Generator<Problem> {
  if (hung.length > 0) {
    const pids = hung.slice(0, NAMED_MAX).join(', ');
    yield {
      severity: 'warning',
      what: `${hung.length} processes are left out, because reads of their files do not return: PID ${pids}${hung.length > NAMED_MAX ? ', …' : ''}`,
    };
  }
  if (privileges && privileges.hidepid !== '')
    yield {
      severity: 'warning',
      what: `/proc is mounted with hidepid=${privileges.hidepid}, so processes of other users are not seen`,
      remedy: hiddenAdvice(privileges),
    };
  for (const count of lastingFailures(unreadable)) {
    const { file, reason, processes } = count;
    const grant = privileges && grantFor(count, privileges);
    const missing = accessTo(file)?.neededFor;
    yield {
      severity: grant ? 'warning' : 'info',
      what: `${file} of ${processes} ${processes === 1 ? 'process' : 'processes'} cannot be read (${reason})${missing ? `; it is needed for ${missing}` : ''}`,
      ...(grant && { remedy: `grant ${grant}; with systemd: ${UNIT_SETTING}` }),
    };
  }
}

function* ofCoverage({ config }: Agent, view: ProcessView): Generator<Problem> {
  const coverage = coverageOf(view);
  const measures = config.smaps !== 'off' && (config.enable_pss || config.enable_uss);
  // What cannot be read has its own sentence.
  if (!measures || !(coverage < COVERAGE_MIN) || view.unreadable.some(({ file }) => file === 'smaps_rollup')) return;
  yield {
    severity: 'info',
    what: `PSS is measured for ${Math.floor(coverage * 100)} % of the resident memory; footprints of the rest are estimates`,
    remedy: 'wait some minutes after a start; if it lasts, raise smaps_budget',
  };
}

function* ofContradictions({ books, measuredExcess }: ProcessView): Generator<Problem> {
  if (books.contradictory.length > 0)
    yield {
      severity: 'warning',
      what: `/proc/meminfo contradicts itself, so these kinds of memory are left out: ${books.contradictory.join(', ')}`,
      remedy: 'lxcfs or another program may stand in for the kernel: run the exporter on the host',
    };
  if (measuredExcess > 0)
    yield {
      severity: 'warning',
      what: "the measured PSS of all processes adds up to more than the host's memory: processes that share one address space each have all of it",
    };
}
