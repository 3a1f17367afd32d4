// Records one frame of a host: everything that this program reads of it, whatever its settings, without the secrets that
// must not leave the host. What is read is found out by reading: one collection runs with every metric switched on, and
// every file that it opens is recorded.
import { Sampler } from '../../agent/sampler.ts';
import { samplerOptionsOf } from '../../agent/settings.ts';
import { type Config, defaults, keys, optionOf } from '../../config/options.ts';
import { type Frame, recordFrame } from '../../kernel/capture.ts';
import { cgroupLinesOf, MOUNTINFO } from '../../kernel/cgroup.ts';
import { type KernelFiles, unlessUnreadable } from '../../kernel/files.ts';
import { USERS, userNamesOf } from '../../kernel/host.ts';
import { KERNEL_LOG, oomRecordsOf } from '../../kernel/kernel-log.ts';
import type { Classifier } from '../../rules/classifier.ts';
import { UNCLASSIFIED } from '../../rules/identity.ts';
import { FEATURES } from '../check/check.ts';
import { frameWithoutSecrets } from '../scrub/captured-frame.ts';

/** What of command lines is recorded. */
export interface RecordedValues {
  /** By each of these, a process has the same rule in the frame as on the host. Default: none, so rules show nothing. */
  readonly classifiers?: readonly Classifier[];
  /** Whether command lines are recorded with all their values, also secret ones. */
  readonly showValues?: boolean;
}

/** @throws KernelFileError where the processes cannot be listed */
export async function recordHost(files: KernelFiles, values: RecordedValues = {}): Promise<Frame> {
  const frame = await recordFrame(files, scrubFile, readEverything);
  return values.showValues ? frame : frameWithoutSecrets(frame, values.classifiers ?? []);
}

/**
 * Of the mounts only those of cgroups, of the users names and numbers, of the log OOM kills. Command lines need what other
 * files say.
 */
function scrubFile(path: string, bytes: Uint8Array): Uint8Array {
  if (path === MOUNTINFO) return cgroupLinesOf(bytes);
  if (path === KERNEL_LOG) return oomRecordsOf(bytes);
  return path === USERS ? userNamesOf(bytes) : bytes;
}

/** The keys that switch metrics on and off. Some of these metrics are off by default; a capture needs all of them. */
const METRICS = keys.filter(
  (key) => typeof defaults[key] === 'boolean' && optionOf(key).section === optionOf('collector_process').section,
);

/**
 * One collection with every metric on and every footprint read, and the files that `check` looks at. Where the
 * collection fails, what it read until then is recorded: a bug report needs it most then.
 */
async function readEverything(files: KernelFiles): Promise<void> {
  const config: Config = { ...defaults, smaps: 'exact', ...Object.fromEntries(METRICS.map((key) => [key, true])) };
  const sampler = new Sampler(files, () => UNCLASSIFIED, samplerOptionsOf(config));
  sampler.stop(); // no second collection follows
  await sampler.collect();
  for (const { path } of FEATURES) unlessUnreadable(() => files.read(path));
}
