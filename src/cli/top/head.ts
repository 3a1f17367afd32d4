// The head of the screen: which host this is, whether all is well, and the whole of its memory as one bar.

import type { HostDocument } from '../../server/api-v1/schema.ts';
import { escapeForTerminal } from '../../text/hostile.ts';
import { formatBytes, formatDuration } from '../../text/units.ts';
import { countedProcesses } from '../counted.ts';
import { memoryPartsOf } from '../memory-parts.ts';
import { type BarPart, bar, type Letters } from './chart.ts';
import { type Line, type Span, spread } from './line.ts';

/** What the head is made of. */
export interface HeadData {
  /** Undefined before the first answer. */
  readonly host: HostDocument | undefined;
  /** Seconds since that answer came. */
  readonly sinceAnswer: number;
  /** Who answers. */
  readonly source: string;
  /** Why the last question had no answer; undefined where it had. */
  readonly failure: string | undefined;
}

/** @param low whether the terminal has few lines: then the names of the parts are left out */
export function headLines(data: HeadData, width: number, low: boolean, letters: Letters): Line[] {
  const { host, failure, source } = data;
  if (!host)
    return [[{ text: failure ? `${failure}; trying again` : `asking ${source} …`, style: failure ? 'red' : 'dim' }]];
  const parts = partsOf(host.memory.kinds, letters);
  const total = parts.reduce((sum, { value }) => sum + Math.max(0, value), 0);
  return [
    spread([nameSpan(host), aboutHost(host)], [stateSpan(data)], width),
    ...(problemLine(data) ?? []),
    ...(total > 0 ? [bar(parts, total, width)] : []),
    ...(total > 0 && !low ? legend(parts, width) : []),
    [summary(host)],
  ];
}

const nameSpan = ({ host, exporter }: HostDocument): Span => ({
  text: escapeForTerminal(host.name ?? exporter.source ?? 'host'),
  style: 'bold',
});

const aboutHost = ({ host }: HostDocument): string =>
  `${host.kernel ? `  Linux ${escapeForTerminal(host.kernel)}` : ''}  up ${formatDuration(host.uptime_seconds)}`;

/** Whether all is well, and how old what is shown is. */
function stateSpan({ host, failure, sinceAnswer }: HeadData): Span {
  const { problems, collection } = host!;
  const age = `${formatDuration(Math.floor(collection.age_seconds + sinceAnswer))} old`;
  if (failure !== undefined) return { text: `no answer, ${age}`, style: 'red' };
  const bad = problems.filter(({ severity }) => severity === 'critical').length;
  if (bad > 0) return { text: `${bad} critical, ${age}`, style: 'red' };
  const warnings = problems.filter(({ severity }) => severity === 'warning').length;
  if (warnings > 0) return { text: `${warnings} ${warnings === 1 ? 'warning' : 'warnings'}, ${age}`, style: 'yellow' };
  return { text: `all is well, ${age}`, style: 'green' };
}

/** What is wrong: that nobody answers, else the worst problem; none where all is well. */
function problemLine({ host, failure, source }: HeadData): [Line] | undefined {
  if (failure !== undefined)
    return [[{ text: `no answer from ${escapeForTerminal(`${source}: ${failure}`)}; trying again`, style: 'red' }]];
  const [worst] = host!.problems;
  if (!worst || worst.severity === 'info') return undefined;
  const text = escapeForTerminal(worst.remedy ? `${worst.what}; ${worst.remedy}` : worst.what);
  return [[{ text, style: worst.severity === 'critical' ? 'red' : 'yellow' }]];
}

const partsOf = (kinds: Readonly<Record<string, number>>, letters: Letters): BarPart[] =>
  memoryPartsOf(kinds).map(({ name, bytes, style }, index) => ({
    ...{ name, style, value: bytes },
    letter: [...letters.parts][index]!,
  }));

/** The names of the parts that are there, on as many lines as they need. */
function legend(parts: readonly BarPart[], width: number): Line[] {
  const lines: Span[][] = [[]];
  let used = 0;
  for (const { name, value, letter, style } of parts.filter(({ value }) => value >= 1 << 20)) {
    const text = ` ${name} ${formatBytes(value)}  `;
    if (used > 0 && used + text.length + 1 > width) {
      lines.push([]);
      used = 0;
    }
    used += text.length + 1;
    lines.at(-1)!.push({ text: letter, style }, { text });
  }
  return lines;
}

function summary({ memory, processes, cpu_percent, host }: HostDocument): string {
  const { total_bytes, available_bytes, swap_total_bytes = 0, swap_free_bytes = 0 } = memory;
  const bytes = (value: number | undefined) => formatBytes(value ?? Number.NaN);
  const swap =
    swap_total_bytes > 0 ? `, swap ${bytes(swap_total_bytes - swap_free_bytes)} of ${bytes(swap_total_bytes)}` : '';
  const cpu =
    cpu_percent === undefined ? '' : `, CPU ${cpu_percent.toFixed(0)} %${host.cpus ? ` of ${host.cpus} cores` : ''}`;
  return `${bytes(available_bytes)} of ${bytes(total_bytes)} available${swap}${cpu}, ${countedProcesses(processes)}`;
}
