// One complete picture of a host, for verbs that look once: every value that can be had, exactly, whatever it costs.
import { setTimeout } from 'node:timers/promises';
import type { Setup } from '../agent/agent.ts';
import { Sampler, type Snapshot } from '../agent/sampler.ts';
import { samplerOptionsOf } from '../agent/settings.ts';
import { unknownNames } from '../agent/unknown-names.ts';
import type { KernelFiles } from '../kernel/files.ts';
import { Classifier } from '../rules/classifier.ts';
import { VerbError } from './verb.ts';

/** A CPU percentage is the difference of two collections, so far apart, milliseconds. */
const APART_MS = 500;

/**
 * Collects twice. PSS and USS of every process are read, unless smaps is off.
 * @param classifier of the setup, for a caller that needs it as well: to make one takes long
 * @throws VerbError where nothing can be collected
 */
export async function collectOnce(
  setup: Setup,
  files: KernelFiles,
  classifier = new Classifier(setup.rules, setup.catalogue),
): Promise<Snapshot> {
  const options = samplerOptionsOf(setup.config, unknownNames(setup.config, classifier.subgroups()));
  const mode = options.footprints.mode === 'off' ? 'off' : 'exact';
  const sampler = new Sampler(files, (identity) => classifier.classify(identity), {
    ...options,
    history: 0,
    footprints: { ...options.footprints, mode },
  });
  await sampler.collect();
  await setTimeout(APART_MS);
  await sampler.collect();
  sampler.stop();
  if (!sampler.snapshot) throw new VerbError(`nothing could be collected: ${sampler.failure?.message}`);
  return sampler.snapshot;
}
