// Declarations of metric families: name, type, help and label names, each declared once. A label that is missing or
// unknown where labels are rendered is a compile error.

import { createHash } from 'node:crypto';

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

/** Bytes of UTF-8 that a label value has at most, before it is escaped. */
export const LABEL_VALUE_MAX_BYTES = 256;
/** Stands where the beginning of a longer value was left out. */
const CUT = '…';

/**
 * The label text of a series, `{pid="1",name="init"}`, as UTF-8 bytes in a latin1 string: ready for Encoder.sample.
 * Values are hostile: backslash, quote and newline are escaped, invalid Unicode is replaced, and of a value of more than
 * 256 bytes only the end is kept, which tells most of a path: `…/very/deep/folder/program`. Two long values may become
 * equal by that: where nothing else in the labels tells two series apart, use `distinctLabelValue`.
 */
export function labelText<Label extends string>(
  family: Family<Label>,
  values: Readonly<Record<Label, string>>,
): string {
  const parts: string[] = [];
  for (const label of family.labels) {
    const value = values[label];
    if (value !== '' || family.type !== 'info') parts.push(`${label}="${escapeLabelValue(boundedLabelValue(value))}"`);
  }
  if (parts.length === 0) return '';
  return Buffer.from(`{${parts.join(',')}}`, 'utf8').toString('latin1');
}

/** A value as it is, or its last bytes behind an ellipsis, 256 bytes of UTF-8 together; no character is cut in two. */
export function boundedLabelValue(value: string): string {
  if (value.length * 3 <= LABEL_VALUE_MAX_BYTES) return value; // a UTF-16 unit takes three bytes at most
  return endWithin(value, LABEL_VALUE_MAX_BYTES, CUT);
}

/**
 * As `boundedLabelValue`, but different values stay different: in front of the ellipsis stands a hash of the whole value.
 * Example: `6f1a…(32 hex digits)…/kubelet-kubepods.slice/cri-containerd-9f2c….scope`.
 */
export function distinctLabelValue(value: string): string {
  if (value.length * 3 <= LABEL_VALUE_MAX_BYTES || Buffer.byteLength(value) <= LABEL_VALUE_MAX_BYTES) return value;
  const hash = createHash('sha256').update(value).digest('hex').slice(0, 32);
  return endWithin(value, LABEL_VALUE_MAX_BYTES, hash + CUT);
}

/** The whole value where it fits, else its end behind a mark. */
function endWithin(value: string, bytesMax: number, mark: string): string {
  const bytes = Buffer.from(value, 'utf8');
  if (bytes.length <= bytesMax) return value;
  let from = bytes.length - bytesMax + Buffer.byteLength(mark);
  while ((bytes[from]! & 0xc0) === 0x80) from++; // inside a character
  return mark + bytes.toString('utf8', from);
}

/** Exposition formats, "Comments, help text, and type information"; the same in OpenMetrics. */
export function escapeLabelValue(value: string): string {
  if (!/[\\"\n]|[^\x20-\x7e]/.test(value)) return value;
  return value.toWellFormed().replace(/[\\"\n]/g, (character) => (character === '\n' ? '\\n' : `\\${character}`));
}
