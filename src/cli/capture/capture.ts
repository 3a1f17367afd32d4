// capture: records what the kernel says, command lines scrubbed, into a file that --capture serves from.
import { writeFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { ConfigError } from '../../config/load.ts';
import { type Frame, formatCapture, recordFrame } from '../../kernel/capture.ts';
import type { Invocation } from '../arguments.ts';
import { loadSetup, openHost, sourcesOf } from '../load-host.ts';
import { scrubCommandLine } from '../scrub.ts';

/** @returns the capture itself where no file was named, else a line about it */
export async function capture(asked: Invocation & { verb: 'capture' }): Promise<string> {
  const { config } = await loadSetup(sourcesOf(asked));
  const files = openHost(config);
  const frames: Frame[] = [];
  for (let number = 0; number < asked.frames; number++) {
    if (number > 0) await setTimeout(asked.every * 1000);
    frames.push(recordFrame(files, scrubCommandLine));
  }
  const text = formatCapture(frames, ['Command lines are scrubbed; read it before you give it away.']);
  if (asked.output === undefined) return text;
  try {
    writeFileSync(asked.output, text, { mode: 0o600 });
  } catch (error) {
    throw new ConfigError([
      `${asked.output}: cannot be written (${(error as Error).message}); name another file with -o`,
    ]);
  }
  return `${asked.output}: ${frames.length} frame${frames.length === 1 ? '' : 's'}, ${text.length} bytes; serve it with --capture ${asked.output}\n`;
}
