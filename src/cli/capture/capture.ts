// capture: records what the kernel says into a file, without the values in command lines that could be secrets. With
// --capture FILE every verb uses the file in place of a host.
import { setTimeout } from 'node:timers/promises';
import { type Frame, formatCapture } from '../../kernel/capture.ts';
import { Classifier } from '../../rules/classifier.ts';
import { counted } from '../counted.ts';
import { loadSetup, openHost, sourcesOf } from '../load-host.ts';
import { writeNewFile } from '../new-file.ts';
import { type GivenSettings, VerbError } from '../verb.ts';
import { recordHost } from './record-host.ts';
import type { CaptureGiven } from './verb.ts';

/** Remarks at the top of the file, for the people who get it. */
const SHOWN = [
  'Command lines are complete, because of --show-values. They may hold passwords and keys: pass this file on to nobody',
  'who may not know them.',
];
const HIDDEN_VALUES = [
  'Values in command lines are hidden as ***, except those of a harmless shape and those that a rule needs. What a program',
  'is called, and the names of its options, files and users are here: read this file before you pass it on.',
];

/**
 * @returns the capture itself where no file is named, else a line about the file
 * @throws ConfigError where the host cannot be read @throws VerbError where the file cannot be written
 */
export async function capture(
  settings: GivenSettings,
  { output, frames: count, every, showValues }: CaptureGiven,
): Promise<string> {
  const { config, rules, catalogue } = await loadSetup(sourcesOf(settings));
  // By the operator's rules, and by the catalogue alone, which is all that the reader of a capture may have.
  const classifiers = [new Classifier(rules, catalogue), ...(rules.length > 0 ? [new Classifier([], catalogue)] : [])];
  const files = await openHost({ ...config, source: 'procfs' }); // a capture holds text
  const frames: Frame[] = [];
  for (let number = 0; number < count; number++) {
    if (number > 0) await setTimeout(every * 1000);
    frames.push(await recordHost(files, { classifiers, showValues }));
  }
  const text = formatCapture(frames, showValues ? SHOWN : HIDDEN_VALUES);
  if (output === undefined) return text;
  try {
    writeNewFile(output, text, 0o600);
  } catch (error) {
    throw new VerbError(`${output}: cannot be written (${(error as Error).message}); name another file with -o`);
  }
  return `${output}: ${counted(frames.length, 'frame')}, ${text.length} bytes; serve it with --capture ${output}\n`;
}
