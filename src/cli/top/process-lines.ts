// One process, as lines: what it is, the parts of its footprint, its last hour, and why its PSS is as old as it is.
import type { ProcessDocument } from '../../server/api-v1/schema.ts';
import { escapeForTerminal } from '../../text/hostile.ts';
import { formatBytes, formatDuration } from '../../text/units.ts';
import { counted } from '../counted.ts';
import { exportedText, whyText } from '../explain/footprint-lines.ts';
import { bar, type Letters, sparkline } from './chart.ts';
import type { Line } from './line.ts';

const INDENT = '  ';
const LABEL = 15;

/** @param now Unix time */
export function processLines(
  { process, explanation, history }: ProcessDocument,
  now: number,
  width: number,
  letters: Letters,
): Line[] {
  const { pid, name, group, subgroup, start_time_seconds, threads, state } = process;
  const bytes = (value: number | undefined) => formatBytes(value ?? Number.NaN);
  const mark = process.estimated ? '~' : '';
  const about = { user: process.user, unit: process.unit, container: process.container_id, exe: process.exe };
  const cpu = process.cpu_percent === undefined ? '–' : `${process.cpu_percent.toFixed(1)} %`;
  return [
    [{ text: escapeForTerminal(`${name} (${pid})`), style: 'bold' }, escapeForTerminal(` in ${group}/${subgroup}`)],
    ...(process.rule ? field('rule', process.rule, width) : []),
    ...Object.entries(about).flatMap(([key, value]) => (value ? field(key, value, width) : [])),
    ...field(
      'state',
      `${state}, ${counted(threads, 'thread')}, began ${formatDuration(now - start_time_seconds)} ago`,
      width,
    ),
    [],
    ...field('footprint', `${mark}${bytes(process.footprint_bytes)}`, width),
    ...partLines(process, width, letters),
    ...field('PSS, USS', `${mark}${bytes(process.pss_bytes)}, ${mark}${bytes(process.uss_bytes)}`, width),
    ...field('RSS, swap', `${bytes(process.rss_bytes)}, ${bytes(process.swap_bytes)}`, width),
    ...field('CPU', cpu, width),
    [],
    ...(history ? hourLines(history, width, letters) : []),
    ...field('read', ageText(explanation.smaps.age_seconds), width),
    ...field('exported', exportedText({ ...explanation, ...process }), width),
    ...field('why', whyText(explanation.smaps), width),
  ];
}

const ageText = (age: number | undefined): string => (age === undefined ? 'never' : `${formatDuration(age)} ago`);

/** A name and a text, which goes on below itself where it is longer than the line. */
function field(name: string, text: string, width: number): Line[] {
  return wrapped(escapeForTerminal(text), Math.max(12, width - LABEL)).map((line, index) => [
    { text: (index === 0 ? INDENT + name : '').padEnd(LABEL), style: 'dim' },
    line,
  ]);
}

/** Lines of whole words; a word that is too long for a line is cut by the screen. */
function wrapped(text: string, width: number): string[] {
  const lines = [''];
  for (const word of text.split(' ')) {
    const last = lines.length - 1;
    const joined = lines[last] === '' ? word : `${lines[last]} ${word}`;
    if (joined.length <= width || lines[last] === '') lines[last] = joined;
    else lines.push(word);
  }
  return lines;
}

function partLines(
  { parts, footprint_bytes = 0 }: ProcessDocument['process'],
  width: number,
  letters: Letters,
): Line[] {
  const names = Object.entries(parts).filter(([, value]) => value !== undefined && value > 0);
  return names.map(([name, value]) => [
    { text: `${INDENT}${INDENT}${name.replaceAll('_', ' ')}`.padEnd(LABEL + 4), style: 'dim' },
    `${formatBytes(value!).padStart(10)} `,
    ...bar(
      [{ name, value: value!, letter: [...letters.parts][0]!, style: 'blue' }],
      footprint_bytes,
      Math.max(0, width - 34),
    ),
  ]);
}

function hourLines(history: NonNullable<ProcessDocument['history']>, width: number, letters: Letters): Line[] {
  const { at, footprint_bytes, cpu_percent } = history;
  const known = footprint_bytes.filter((value) => value !== null);
  if (at.length < 2 || known.length === 0) return [];
  const range = `${formatBytes(Math.min(...known))} to ${formatBytes(Math.max(...known))}`;
  const cells = width - 2 * INDENT.length;
  return [
    ...field(`last ${formatDuration(at.at(-1)! - at[0]!)}`, `footprint ${range}`, width),
    [INDENT, { text: sparkline(footprint_bytes, cells, letters), style: 'blue' }],
    ...(cpu_percent
      ? [[`${INDENT}CPU`], [INDENT, { text: sparkline(cpu_percent, cells, letters), style: 'green' } as const]]
      : []),
    [],
  ];
}
