// capture: records what the kernel says into a file, without the secrets of command lines. With --capture FILE every verb
// uses the file in place of a host.
import { setTimeout } from 'node:timers/promises';
import { type Frame, formatCapture } from '../../kernel/capture.ts';
import { counted } from '../counted.ts';
import { loadSetup, openHost, sourcesOf } from '../load-host.ts';
import { writeNewFile } from '../new-file.ts';
import { type GivenSettings, VerbError } from '../verb.ts';
import { recordHost } from './record-host.ts';
import type { CaptureGiven } from './verb.ts';

/**
 * @returns the capture itself where no file is named, else a line about the file
 * @throws ConfigError where the host cannot be read @throws VerbError where the file cannot be written
 */
export async function capture(
  settings: GivenSettings,
  { output, frames: count, every }: CaptureGiven,
): Promise<string> {
  const { config } = await loadSetup(sourcesOf(settings));
  const files = openHost(config);
  const frames: Frame[] = [];
  for (let number = 0; number < count; number++) {
    if (number > 0) await setTimeout(every * 1000);
    frames.push(await recordHost(files));
  }
  const text = formatCapture(frames, [
    'Secrets in command lines are hidden as far as they are recognized: read this file before you pass it on.',
  ]);
  if (output === undefined) return text;
  try {
    writeNewFile(output, text, 0o600);
  } catch (error) {
    throw new VerbError(`${output}: cannot be written (${(error as Error).message}); name another file with -o`);
  }
  return `${output}: ${counted(frames.length, 'frame')}, ${text.length} bytes; serve it with --capture ${output}\n`;
}
