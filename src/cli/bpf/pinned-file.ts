// Where the BPF program is pinned, by the settings in force.
import { load } from '../../config/load.ts';
import type { Config } from '../../config/options.ts';
import { sourcesOf } from '../load-host.ts';
import type { GivenSettings } from '../verb.ts';

/** @throws ConfigError */
export const configOf = async (settings: GivenSettings): Promise<Config> => (await load(sourcesOf(settings))).config;
