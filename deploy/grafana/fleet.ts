// Dashboard of all hosts. It reads only series of groups: so it is fast with thousands of exporters, and works with
// per_process none.
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import * as exporter from '../../src/collectors/exporter.ts';
import * as groups from '../../src/collectors/group.ts';
import * as system from '../../src/collectors/system.ts';
import { board, group, host } from './boards.ts';
import { Board } from './panels.ts';

const by = 'by (group, subgroup)';
const footprint = groups.groupFootprint.name + group;
const total = system.systemTotal.name + host;
const available = system.systemAvailable.name + host;
const pressure = `rate(${system.systemPressure.name}{kind="some", ${host.slice(1)}[$__rate_interval])`;

export function fleetBoard(): Dashboard {
  const made = board({
    uid: 'herakles-fleet',
    title: 'Herakles Fleet',
    help: 'All hosts: which groups need memory, where memory runs out, what grows.',
    instances: 'any',
    groups: true,
  });
  const panels = new Board(made);
  panels
    .number(
      {
        title: 'Hosts',
        help: 'Exporters that Prometheus can scrape (up), and that it cannot scrape (down).',
        unit: 'short',
        width: 6,
      },
      {
        Up: `count(up{job=~"$job", instance=~"$instance"} == 1) or vector(0)`,
        Down: `count(up{job=~"$job", instance=~"$instance"} == 0) or vector(0)`,
      },
    )
    .number(
      { title: 'Memory', help: 'Memory of all hosts, and how much of it is available.', unit: 'bytes', width: 6 },
      { Total: `sum(${total})`, Available: `sum(${available})` },
    )
    .number(
      { title: 'Footprint', help: 'Memory that the chosen groups occupy on all hosts.', unit: 'bytes', width: 4 },
      { Footprint: `sum(${footprint})` },
    )
    .number(
      { title: 'Processes', help: 'Processes of the chosen groups on all hosts.', unit: 'short', width: 4 },
      { Processes: `sum(${groups.groupProcesses.name}${group})` },
    )
    .number(
      {
        title: 'Hosts Short of Memory',
        help: 'Hosts with less than a tenth of their memory available.',
        unit: 'short',
        width: 4,
        warn: [1, 5],
      },
      { Hosts: `count(${available} / ${total} < 0.1) or vector(0)` },
    )
    .row('Groups')
    .lines(
      {
        title: 'Footprint by Group',
        help: 'Memory that each group occupies on all hosts together.',
        unit: 'bytes',
        width: 12,
        stacked: true,
      },
      { '{{group}}': `sum by (group) (${footprint})` },
    )
    .lines(
      { title: 'CPU by Group', help: 'Cores in use on all hosts together.', unit: 'short', width: 12, stacked: true },
      { '{{group}}': `sum by (group) (rate(${groups.groupCpu.name}${group}[$__rate_interval]))` },
    )
    .table(
      {
        title: 'Subgroups across Hosts',
        help: 'If the largest host is far above the average, look at that host.',
        unit: 'bytes',
        width: 24,
      },
      {
        labels: { group: 'Group', subgroup: 'Subgroup' },
        by: 'Footprint',
        values: {
          Footprint: { query: footprint },
          Hosts: { query: `count ${by} (${footprint} > 0)`, unit: 'short' },
          Average: { query: `avg ${by} (${footprint} > 0)` },
          Largest: { query: `max ${by} (${footprint})` },
          Processes: { query: groups.groupProcesses.name + group, unit: 'short' },
          'CPU %': { query: groups.groupUsage.name + group, unit: 'percent' },
        },
      },
    )
    .row('Hosts')
    .table(
      { title: 'Hosts', help: 'The host with the least available memory first.', unit: 'bytes', width: 16 },
      {
        labels: { instance: 'Instance' },
        by: 'In use',
        values: {
          'In use': {
            query: `1 - sum by (instance) (${available}) / sum by (instance) (${total})`,
            unit: 'percentunit',
          },
          Memory: { query: total },
          Available: { query: available },
          Footprint: { query: footprint },
          'CPU %': { query: groups.groupUsage.name + group, unit: 'percent' },
          Pressure: { query: pressure, unit: 'percentunit' },
        },
      },
    )
    .bars(
      {
        title: 'Largest Hosts',
        help: 'Ten hosts with the largest footprint of the chosen groups.',
        unit: 'bytes',
        width: 8,
      },
      { '{{instance}}': `topk(10, sum by (instance) (${footprint}))` },
    )
    .lines(
      {
        title: 'Memory Pressure',
        help: 'Share of time in which at least one task waited for memory.',
        unit: 'percentunit',
        width: 12,
      },
      { '{{instance}}': `sum by (instance) (${pressure})` },
    )
    .lines(
      {
        title: 'Growth by Host',
        help: 'Slope of the footprint in the last half hour, in bytes per second.',
        unit: 'binBps',
        width: 12,
      },
      { '{{instance}}': `sum by (instance) (deriv(${footprint}[30m]))` },
    )
    .row('Exporters')
    .pie(
      { title: 'Versions', help: 'Number of exporters of each version.', unit: 'short', width: 8 },
      { '{{version}} on node {{nodejs}}': `count by (version, nodejs) (${exporter.buildInfo.name}${host})` },
    )
    .lines(
      {
        title: 'Series',
        help: 'Series of the largest response, and of all exporters together.',
        unit: 'short',
        width: 16,
      },
      { largest: `max(${exporter.series.name}${host})`, all: `sum(${exporter.series.name}${host})` },
    );
  return made.build();
}
