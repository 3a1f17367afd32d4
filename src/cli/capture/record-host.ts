// Records one frame of a host: everything that this program reads of it, whatever its settings, without the secrets that
// must not leave the host. What is read is found out by reading: one collection runs with everything switched on, and
// every file that it opens is recorded.
import { Sampler } from '../../agent/sampler.ts';
import { samplerOptionsOf } from '../../agent/settings.ts';
import { switchOf } from '../../collectors/collector.ts';
import { collectors } from '../../collectors/index.ts';
import { type Config, defaults } from '../../config/options.ts';
import { type Frame, recordFrame } from '../../kernel/capture.ts';
import { cgroupLinesOf, MOUNTINFO } from '../../kernel/cgroup.ts';
import { type KernelFiles, unlessUnreadable } from '../../kernel/files.ts';
import { NO_RULE } from '../../rules/identity.ts';
import { FEATURES } from '../check/check.ts';
import { scrubCommandLine } from '../scrub.ts';

/** @throws KernelFileError where the processes cannot be listed */
export const recordHost = (files: KernelFiles): Promise<Frame> => recordFrame(files, scrubFile, readEverything);

/** Of command lines everything but their secrets, of the mounts only those of cgroups. */
function scrubFile(path: string, bytes: Uint8Array): Uint8Array {
  if (path.endsWith('/cmdline')) return scrubCommandLine(bytes);
  return path === MOUNTINFO ? cgroupLinesOf(bytes) : bytes;
}

/**
 * One collection with every collector on and every footprint read, and the files that `check` looks at. Where the
 * collection fails, what it read until then is recorded: a bug report needs it most then.
 */
async function readEverything(files: KernelFiles): Promise<void> {
  const switches = Object.fromEntries(collectors.map((collector) => [switchOf(collector), true]));
  const config: Config = { ...defaults, smaps: 'exact', ...switches };
  const unclassified = { group: 'other', subgroup: 'other', rule: NO_RULE };
  const sampler = new Sampler(files, () => unclassified, samplerOptionsOf(config));
  sampler.stop(); // no second collection follows
  await sampler.collect();
  for (const { path } of FEATURES) unlessUnreadable(() => files.read(path));
}
