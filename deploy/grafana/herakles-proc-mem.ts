// Dashboard of the integration guide: which groups and processes occupy memory and CPU, and how exact the values are.
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import * as groups from '../../src/collectors/group.ts';
import * as processes from '../../src/collectors/process.ts';
import * as system from '../../src/collectors/system.ts';
import { board, group, host, proc } from './boards.ts';
import { uids } from './links.ts';
import { Board } from './panels.ts';

const footprint = groups.groupFootprint.name + group;
const rss = processes.processRss.name + proc;
const pss = processes.processPss.name + proc;
const uss = processes.processUss.name + proc;
const by = 'by (group, subgroup)';
/** The same ten series for the whole graph: topk alone chooses again at every step, and so draws more than ten lines. */
const steadyTop = (family: string): string => `${family} and topk(10, ${family} @ end())`;

export function memoryBoard(): Dashboard {
  const made = board({
    uid: uids.memory,
    title: 'Herakles Process Memory',
    help: 'What really occupies memory and CPU, per group and per process.',
    instances: 'any',
    groups: true,
  });
  const panels = new Board(made);
  panels
    .number(
      {
        title: 'Total Process Memory',
        help: 'Footprint of the chosen groups: every page counts once. A sum of RSS would count a shared page once per process.',
        unit: 'bytes',
        width: 6,
      },
      { Footprint: `sum(${footprint})` },
    )
    .number(
      {
        title: 'Share of Host Memory',
        help: 'Footprint of the chosen groups as a share of the memory of the hosts.',
        unit: 'percentunit',
        width: 4,
        warn: [0.8, 0.95],
      },
      { Share: `sum(${footprint}) / sum(${system.systemTotal.name}${host})` },
    )
    .number(
      { title: 'Available', help: 'Memory that programs can still get without swapping.', unit: 'bytes', width: 4 },
      { Available: `sum(${system.systemAvailable.name}${host})` },
    )
    .number(
      { title: 'Processes', help: 'Processes of the chosen groups, in any state.', unit: 'short', width: 3 },
      { Processes: `sum(${groups.groupProcesses.name}${group})` },
    )
    .number(
      { title: 'CPU', help: 'CPU of the chosen groups; 100 % is one core.', unit: 'percent', width: 3 },
      { CPU: `sum(${groups.groupUsage.name}${group})` },
    )
    .number(
      {
        title: 'PSS Coverage',
        help: 'Share of resident memory whose PSS is measured and fresh. The rest is estimated.',
        unit: 'percentunit',
        width: 4,
      },
      {
        Coverage: `sum(${groups.groupCoverage.name}${group} * ${groups.groupRss.name}${group}) / sum(${groups.groupRss.name}${group})`,
      },
    )
    .row('Memory')
    .pie(
      { title: 'Memory by Group', help: 'Footprint of each group now.', unit: 'bytes', width: 8 },
      { '{{group}}': `sum by (group) (${footprint})` },
    )
    .lines(
      {
        title: 'Footprint by Group over Time',
        help: 'Stacked: the total height is the memory that all groups occupy together.',
        unit: 'bytes',
        width: 16,
        stacked: true,
      },
      { '{{group}}': `sum by (group) (${footprint})` },
    )
    .table(
      {
        title: 'Where Memory Goes',
        help: 'Every subgroup, largest first. RSS counts a shared page once per process, PSS counts it once.',
        unit: 'bytes',
        width: 24,
      },
      {
        labels: { group: 'Group', subgroup: 'Subgroup' },
        by: 'Footprint',
        values: {
          Footprint: { query: footprint },
          'Of host': {
            query: `${footprint} / scalar(sum(${system.systemTotal.name}${host}))`,
            unit: 'percentunit',
          },
          RSS: { query: groups.groupRss.name + group },
          PSS: { query: groups.groupPss.name + group },
          USS: { query: groups.groupUss.name + group },
          Swap: { query: groups.groupSwap.name + group },
          Processes: { query: groups.groupProcesses.name + group, unit: 'short' },
          'CPU %': { query: groups.groupUsage.name + group, unit: 'percent' },
        },
      },
    )
    .lines(
      {
        title: 'PSS against RSS',
        help: 'The part of RSS above the footprint is counted more than once. PSS and USS are sums of measured values only: see the coverage below.',
        unit: 'bytes',
        width: 12,
      },
      {
        RSS: `sum(${groups.groupRss.name}${group})`,
        Footprint: `sum(${footprint})`,
        PSS: `sum(${groups.groupPss.name}${group})`,
        USS: `sum(${groups.groupUss.name}${group})`,
      },
    )
    .bars(
      {
        title: 'Counted More Than Once',
        help: 'RSS minus footprint: memory that a sum of RSS counts again. Ten largest subgroups.',
        unit: 'bytes',
        width: 12,
      },
      {
        '{{group}}/{{subgroup}}': `topk(10, sum ${by} (${groups.groupRss.name}${group}) - sum ${by} (${footprint}))`,
      },
    );
  processPanels(panels);
  changePanels(panels);
  return made.build();
}

function processPanels(panels: Board): void {
  panels
    .row('Processes')
    .lines(
      {
        title: 'Top 10 Processes by RSS',
        help: 'The ten that are largest at the end of the time range, shown for all of it.',
        unit: 'bytes',
        width: 24,
      },
      { '{{name}} (pid={{pid}}, {{instance}})': steadyTop(rss) },
    )
    .table(
      {
        title: 'Top Processes',
        help: 'Twenty largest by PSS. Empty with per_process none, because processes have no series then.',
        unit: 'bytes',
        width: 24,
      },
      {
        labels: { instance: 'Instance', name: 'Name', pid: 'PID', group: 'Group', subgroup: 'Subgroup' },
        by: 'PSS',
        values: {
          PSS: { query: `topk(20, ${pss})` },
          RSS: { query: `${rss} and topk(20, ${pss})` },
          USS: { query: `${uss} and topk(20, ${pss})` },
          Swap: { query: `${processes.processSwap.name}${proc} and topk(20, ${pss})` },
          'CPU %': { query: `${processes.processUsage.name}${proc} and topk(20, ${pss})`, unit: 'percent' },
        },
      },
    );
}

function changePanels(panels: Board): void {
  panels
    .row('Change')
    .lines(
      {
        title: 'Growth by Subgroup',
        help: 'Slope of the footprint in the last half hour, in bytes per second, of the ten that grow most now.',
        unit: 'binBps',
        width: 12,
      },
      {
        '{{group}}/{{subgroup}}': `sum ${by} (deriv(${footprint}[30m])) and topk(10, sum ${by} (deriv(${footprint}[30m] @ end())))`,
      },
    )
    .table(
      {
        title: 'Fastest Growing Processes',
        help: 'Slope of private memory in the last half hour.',
        unit: 'binBps',
        width: 12,
      },
      {
        labels: { instance: 'Instance', name: 'Name', pid: 'PID' },
        by: 'Growth',
        values: {
          Growth: { query: `topk(10, deriv(${uss}[30m]))` },
          USS: { query: `${uss} and topk(10, deriv(${uss}[30m]))`, unit: 'bytes' },
        },
      },
    )
    .lines(
      {
        title: 'CPU by Group',
        help: 'CPU in use, ended processes included; 1 is one core.',
        unit: 'short',
        width: 12,
        stacked: true,
      },
      { '{{group}}': `sum by (group) (rate(${groups.groupCpu.name}${group}[$__rate_interval]))` },
    )
    .lines(
      {
        title: 'Churn',
        help: 'Processes that started and exited per second. Processes that no collection saw are not counted.',
        unit: 'cps',
        width: 12,
      },
      {
        '{{group}} started': `sum by (group) (rate(${groups.groupStarted.name}${group}[$__rate_interval]))`,
        '{{group}} exited': `sum by (group) (rate(${groups.groupExited.name}${group}[$__rate_interval]))`,
      },
    )
    .row('Quality of the Data')
    .lines(
      {
        title: 'PSS Coverage by Group',
        help: 'Share of resident memory whose PSS is measured and fresh. If it is low, grant CAP_SYS_PTRACE or raise smaps_budget.',
        unit: 'percentunit',
        width: 24,
      },
      { '{{group}}/{{subgroup}}': `avg ${by} (${groups.groupCoverage.name}${group})` },
    );
}
