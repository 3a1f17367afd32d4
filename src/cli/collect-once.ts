// One picture of a host, for verbs that look once. It costs the host no more than the settings allow: footprints are read
// within the budget of one interval, and none that is predicted to take longer than smaps_max_read.
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

/** What is wanted of a host. */
export interface Wanted {
  /** Of the setup, for a caller that needs it as well: to make one takes long. */
  readonly classifier?: Classifier;
  /** none: only which processes there are, and in which groups. settings: footprints as `smaps` says. */
  readonly footprints: 'none' | 'settings';
}

/**
 * Collects, and where footprints are wanted collects a second time: only then are CPU percentages known.
 * @throws VerbError where nothing can be collected
 */
export async function collectOnce(
  setup: Setup,
  files: KernelFiles,
  { classifier = new Classifier(setup.rules, setup.catalogue), footprints }: Wanted,
): Promise<Snapshot> {
  const classify = classifier.classify.bind(classifier);
  const all = samplerOptionsOf(setup.config, unknownNames(setup.config, classifier.subgroups()), true);
  const options = { ...all, history: 0 };
  const unread = { ...options, footprints: { ...options.footprints, mode: 'off' } } as const;
  const sampler = new Sampler(files, classify, unread);
  await sampler.collect();
  if (footprints !== 'none') {
    sampler.configure(options, classify);
    await setTimeout(APART_MS);
    await sampler.collect();
  }
  sampler.stop();
  if (!sampler.snapshot) throw new VerbError(`nothing could be collected: ${sampler.failure?.message}`);
  return sampler.snapshot;
}
