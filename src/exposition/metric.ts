// Declarations of metric families: name, type, help and label names, each declared once. A label that is missing or
// unknown where labels are rendered is a compile error.

export type MetricType = 'gauge' | 'counter' | 'info' | 'unknown';

/** A family as declared. `Label` is the union of its label names. */
export interface Family<Label extends string = string> {
  readonly name: string;
  readonly type: MetricType;
  /** Type in the text format 0.0.4, which knows no `info`. A counter without _total is `unknown` only in OpenMetrics. */
  readonly textType: 'gauge' | 'counter';
  readonly help: string;
  /** In the order in which they are written. */
  readonly labels: readonly Label[];
}

type Labels = readonly string[];

/** A value that goes up and down. */
export function gauge<const L extends Labels = []>(name: string, help: string, labels?: L): Family<L[number]> {
  return { name, type: 'gauge', textType: 'gauge', help, labels: labels ?? [] };
}

/** A value that only grows; its name ends in _total. */
export function counter<const L extends Labels = []>(
  name: `${string}_total`,
  help: string,
  labels?: L,
): Family<L[number]> {
  return { name, type: 'counter', textType: 'counter', help, labels: labels ?? [] };
}

/** A counter whose name without _total is older than the naming rules: its type is `unknown` in OpenMetrics. */
export function oddlyNamedCounter<const L extends Labels = []>(
  name: string,
  help: string,
  labels?: L,
): Family<L[number]> {
  return { name, type: 'unknown', textType: 'counter', help, labels: labels ?? [] };
}

/** A metric that is always 1 and tells something by its labels; empty labels are left out. */
export function info<const L extends Labels = []>(name: `${string}_info`, help: string, labels?: L): Family<L[number]> {
  return { name, type: 'info', textType: 'gauge', help, labels: labels ?? [] };
}

/**
 * The label text of a series, `{pid="1",name="init"}`, as UTF-8 bytes in a latin1 string: ready for Encoder.sample.
 * Values are hostile: backslash, quote and newline are escaped, and invalid Unicode is replaced.
 */
export function labelText<Label extends string>(
  family: Family<Label>,
  values: Readonly<Record<Label, string>>,
): string {
  const parts: string[] = [];
  for (const label of family.labels) {
    const value = values[label];
    if (value !== '' || family.type !== 'info') parts.push(`${label}="${escapeLabelValue(value)}"`);
  }
  if (parts.length === 0) return '';
  return Buffer.from(`{${parts.join(',')}}`, 'utf8').toString('latin1');
}

/** Exposition formats, "Comments, help text, and type information"; the same in OpenMetrics. */
export function escapeLabelValue(value: string): string {
  if (!/[\\"\n]|[^\x20-\x7e]/.test(value)) return value;
  return value.toWellFormed().replace(/[\\"\n]/g, (character) => (character === '\n' ? '\\n' : `\\${character}`));
}
