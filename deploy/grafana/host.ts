// Dashboard of one host in detail: which groups have its memory, where it is short of it, and what each process is.
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import * as cgroups from '../../src/collectors/cgroup.ts';
import * as descriptors from '../../src/collectors/descriptors.ts';
import * as groups from '../../src/collectors/group.ts';
import * as processes from '../../src/collectors/process.ts';
import * as shared from '../../src/collectors/shared-memory.ts';
import * as system from '../../src/collectors/system.ts';
import { board, group, host, proc } from './boards.ts';
import { uids } from './links.ts';
import { Board } from './panels.ts';

const by = 'by (group, subgroup)';
const sum = (family: { name: string }): string => `sum ${by} (${family.name}${group})`;
const rate = (family: { name: string }, labels = 'group, subgroup'): string =>
  `sum by (${labels}) (rate(${family.name}${group}[$__rate_interval]))`;
const used = `${system.systemTotal.name}${host} - ${system.systemAvailable.name}${host}`;

export function hostBoard(): Dashboard {
  const made = board({
    uid: uids.host,
    title: 'Herakles Host',
    help: 'One host in detail: its memory, its groups, its processes.',
    instances: 'one',
    groups: true,
  });
  const panels = new Board(made);
  panels
    .number(
      {
        title: 'Memory',
        help: "The host's memory, and how much programs can still get without swapping.",
        unit: 'bytes',
        width: 8,
      },
      { Total: system.systemTotal.name + host, Available: system.systemAvailable.name + host },
    )
    .number(
      {
        title: 'In Use',
        help: 'Share of memory that is not available.',
        unit: 'percentunit',
        width: 4,
        warn: [0.85, 0.95],
      },
      { Used: `(${used}) / ${system.systemTotal.name}${host}` },
    )
    .number(
      { title: 'Swap', help: 'Swap space, and how much of it is free.', unit: 'bytes', width: 6 },
      { Total: system.systemSwapTotal.name + host, Free: system.systemSwapFree.name + host },
    )
    .number(
      { title: 'Processes', help: 'Processes in any state, and their threads.', unit: 'short', width: 6 },
      {
        Processes: `sum(${groups.groupProcesses.name}${group})`,
        Threads: `sum(${groups.groupThreads.name}${group})`,
      },
    )
    .row('Memory')
    .lines(
      {
        title: 'Memory by Subgroup',
        help: 'Footprint of every subgroup that is chosen above, stacked.',
        unit: 'bytes',
        width: 16,
        stacked: true,
      },
      { '{{group}}/{{subgroup}}': sum(groups.groupFootprint) },
    )
    .lines(
      {
        title: 'Memory Pressure',
        help: 'Share of time in which at least one task (some), or every task that was not idle (full), waited for memory.',
        unit: 'percentunit',
        width: 8,
      },
      { '{{kind}}': `rate(${system.systemPressure.name}${host}[$__rate_interval])` },
    )
    .lines(
      {
        title: 'Where the Memory Is',
        help: "All of the host's memory by kind, stacked: it ends at the total. Huge pages, page tables and tmpfs are in no RSS.",
        unit: 'bytes',
        width: 16,
        stacked: true,
      },
      { '{{kind}}': `sum by (kind) (${system.systemKind.name}${host})` },
    )
    .lines(
      {
        title: 'OOM Kills',
        help: "Processes that the kernel ended because memory ran out, of the host or of a cgroup, in each interval: all of the host, and by subgroup where the kernel's log may be read.",
        unit: 'short',
        width: 8,
      },
      {
        Host: `increase(${system.systemOomKills.name}${host}[$__rate_interval])`,
        '{{group}}/{{subgroup}}': `sum ${by} (increase(${groups.groupOomKills.name}${group}[$__rate_interval]))`,
      },
    )
    .lines(
      {
        title: 'Footprint by Kind',
        help: 'What the footprints of the chosen subgroups are made of, stacked.',
        unit: 'bytes',
        width: 12,
        stacked: true,
      },
      { '{{kind}}': `sum by (kind) (${groups.groupKind.name}${group})` },
    )
    .lines(
      { title: 'Swapped Out', help: 'Swapped-out memory of each subgroup.', unit: 'bytes', width: 12 },
      { '{{group}}/{{subgroup}}': sum(groups.groupSwap) },
    )
    .row('Activity');
  activityPanels(panels);
  limitPanels(panels);
  sharedMemoryPanels(panels);
  cgroupPanels(panels);
  processPanels(panels);
  return made.build();
}

function activityPanels(panels: Board): void {
  panels
    .lines(
      { title: 'CPU', help: 'Cores in use by each subgroup.', unit: 'short', width: 12, stacked: true },
      { '{{group}}/{{subgroup}}': rate(groups.groupCpu) },
    )
    .lines(
      {
        title: 'CPU, User and System',
        help: 'Cores in use, for programs (user) and in the kernel (system).',
        unit: 'short',
        width: 12,
        stacked: true,
      },
      { '{{mode}}': rate(groups.groupCpu, 'mode') },
    )
    .lines(
      {
        title: 'Storage I/O',
        help: 'Bytes read and written per second. For processes of other users this needs CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH.',
        unit: 'binBps',
        width: 12,
      },
      {
        '{{group}}/{{subgroup}} read': rate(groups.groupRead),
        '{{group}}/{{subgroup}} written': rate(groups.groupWritten),
      },
    )
    .lines(
      {
        title: 'Page Faults',
        help: 'Page faults per second. A major one had to wait for storage.',
        unit: 'cps',
        width: 12,
      },
      { '{{severity}}': rate(groups.groupFaults, 'severity') },
    )
    .lines(
      {
        title: 'Processes by State',
        help: 'A blocked process is in uninterruptible sleep: it waits for storage.',
        unit: 'short',
        width: 12,
      },
      { '{{state}}': `sum by (state) (${groups.groupProcesses.name}${group})` },
    )
    .lines(
      { title: 'Churn', help: 'Processes that started and exited per second.', unit: 'cps', width: 12 },
      {
        started: `sum(rate(${groups.groupStarted.name}${group}[$__rate_interval]))`,
        exited: `sum(rate(${groups.groupExited.name}${group}[$__rate_interval]))`,
      },
    );
}

/** Of collectors and settings that are off by default: the help says which. */
function limitPanels(panels: Board): void {
  const switches = (family: { name: string }): string =>
    `rate(${family.name}${proc}[$__rate_interval]) and topk(5, rate(${family.name}${proc}[$__rate_interval] @ end()))`;
  panels
    .row('Limits')
    .lines(
      {
        title: 'Descriptors',
        help: 'Open descriptors as a share of the limit, of the process in each subgroup that is nearest to it. Needs collector_descriptors: true.',
        unit: 'percentunit',
        width: 12,
      },
      { '{{group}}/{{subgroup}}': `max ${by} (${descriptors.groupMaxFdsRatio.name}${group})` },
    )
    .lines(
      {
        title: 'Context Switches',
        help: 'How often the first thread of a process got and lost its CPU per second: the five with most. Needs process_context_switches: true.',
        unit: 'cps',
        width: 12,
      },
      {
        '{{name}} {{pid}} waited': switches(processes.processVoluntary),
        '{{name}} {{pid}} was preempted': switches(processes.processInvoluntary),
      },
    );
}

function sharedMemoryPanels(panels: Board): void {
  panels
    .row('Shared Memory That Stays')
    .lines(
      {
        title: 'tmpfs by Mount Point',
        help: 'What the files of each tmpfs occupy in memory and in swap. Needs collector_shared_memory: true.',
        unit: 'bytes',
        width: 12,
        stacked: true,
      },
      { '{{mountpoint}}': shared.tmpfsBytes.name + host },
    )
    .lines(
      {
        title: 'System V Segments',
        help: 'Segments that some process has attached (true) or none (false). Needs collector_shared_memory: true.',
        unit: 'bytes',
        width: 12,
        stacked: true,
      },
      { 'attached: {{attached}}': `sum by (attached) (${shared.sysvBytes.name}${host})` },
    );
}

function cgroupPanels(panels: Board): void {
  const largest = (family: { name: string }): string =>
    `${family.name}${host} and topk(10, ${cgroups.cgroupMemory.name}${host} @ end())`;
  panels
    .row('Cgroups')
    .lines(
      {
        title: 'Memory of Cgroups',
        help: 'All memory that is charged to a cgroup, with page cache: the ten largest. Needs collector_cgroup: true.',
        unit: 'bytes',
        width: 12,
      },
      { '{{cgroup}}': largest(cgroups.cgroupMemory) },
    )
    .lines(
      {
        title: 'OOM Kills in Cgroups',
        help: 'Processes of the cgroup that the kernel ended because memory ran out, in each interval. Needs collector_cgroup: true.',
        unit: 'short',
        width: 12,
      },
      { '{{cgroup}}': `sum by (cgroup) (increase(${cgroups.cgroupOomKills.name}${host}[$__rate_interval]))` },
    );
}

function processPanels(panels: Board): void {
  const named = processes.processInfo.name + proc;
  const joined = (family: { name: string }): string =>
    `${family.name}${proc} * on (instance, job, pid, name) group_left (user, exe, unit, container_id, rule) ${named}`;
  panels
    .row('Processes')
    .table(
      {
        title: 'Subgroups',
        help: 'Processes and threads of each subgroup, and when its oldest process started.',
        unit: 'short',
        width: 10,
      },
      {
        labels: { group: 'Group', subgroup: 'Subgroup' },
        by: 'Processes',
        values: {
          Processes: { query: groups.groupProcesses.name + group },
          Threads: { query: groups.groupThreads.name + group },
          Oldest: { query: `1000 * min ${by} (${groups.groupOldest.name}${group})`, unit: 'dateTimeFromNow' },
        },
      },
    )
    .table(
      {
        title: 'Processes',
        help: 'Fifty largest by PSS, with user, executable, unit, container, and the rule that chose the group.',
        unit: 'bytes',
        width: 14,
      },
      {
        labels: {
          pid: 'PID',
          name: 'Name',
          subgroup: 'Subgroup',
          user: 'User',
          exe: 'Executable',
          unit: 'Unit',
          container_id: 'Container',
          rule: 'Rule',
        },
        by: 'PSS',
        values: { PSS: { query: `topk(50, ${joined(processes.processPss)})` } },
      },
    );
}
