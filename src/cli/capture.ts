// capture: records what one collection reads of the kernel, command lines scrubbed, into a file that --capture serves from.
import { writeFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { Sampler } from '../agent/sampler.ts';
import { samplerOptionsOf } from '../agent/settings.ts';
import { switchOf } from '../collectors/collector.ts';
import { collectors } from '../collectors/index.ts';
import { ConfigError } from '../config/load.ts';
import { type Config, defaults } from '../config/options.ts';
import { type Frame, formatCapture, recordFrame } from '../kernel/capture.ts';
import { cgroupLinesOf, MOUNTINFO } from '../kernel/cgroup.ts';
import { type KernelFiles, unlessUnreadable } from '../kernel/files.ts';
import { NO_RULE } from '../rules/identity.ts';
import type { Invocation } from './arguments.ts';
import { FEATURES } from './check.ts';
import { loadSetup, openHost, sourcesOf } from './load-host.ts';
import { scrubCommandLine } from './scrub.ts';

/** @returns the capture itself where no file was named, else a line about it */
export async function capture(asked: Invocation & { verb: 'capture' }): Promise<string> {
  const { config } = await loadSetup(sourcesOf(asked));
  const files = openHost(config);
  const frames: Frame[] = [];
  for (let number = 0; number < asked.frames; number++) {
    if (number > 0) await setTimeout(asked.every * 1000);
    frames.push(await recordHost(files));
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

/** Records everything that this program reads of a host, whatever its settings, without what must not leave the host. */
export const recordHost = (files: KernelFiles): Promise<Frame> => recordFrame(files, scrubFile, readEverything);

/** Command lines without their secrets, and only the mounts of cgroups. */
function scrubFile(path: string, bytes: Uint8Array): Uint8Array {
  if (path.endsWith('/cmdline')) return scrubCommandLine(bytes);
  return path === MOUNTINFO ? cgroupLinesOf(bytes) : bytes;
}

/**
 * One collection with every collector on and every footprint read, and what `check` looks at. A collection that fails
 * is recorded as far as it came: a bug report needs it most then.
 */
async function readEverything(files: KernelFiles): Promise<void> {
  const switches = Object.fromEntries(collectors.map((collector) => [switchOf(collector), true]));
  const config: Config = { ...defaults, smaps: 'exact', ...switches };
  const nothingKnown = { group: 'other', subgroup: 'other', rule: NO_RULE };
  const sampler = new Sampler(files, () => nothingKnown, samplerOptionsOf(config));
  sampler.stop(); // no second collection
  await sampler.collect();
  for (const { path } of FEATURES) unlessUnreadable(() => files.read(path));
}
