// config show and config init: the configuration in force, and one to start from.
import { JSON_OPTION, type Verb, type VerbGroup } from '../verb.ts';

export const configGroup: VerbGroup = {
  name: 'config',
  summary: 'Show the configuration in force, or print a file to start from.',
};

export const configShowVerb: Verb<{ readonly json: boolean }> = {
  name: 'config show',
  summary: 'Print every value in force and where it comes from.',
  options: [JSON_OPTION],
  parse: ({ switches }) => ({ json: switches.has('--json') }),
  run: async ({ json }, settings) => {
    const [{ load }, { sourcesOf }] = await Promise.all([import('../../config/load.ts'), import('../load-host.ts')]);
    return { output: (await import('./config.ts')).showConfig(await load(sourcesOf(settings)), json) };
  },
};

export const configInitVerb: Verb = {
  name: 'config init',
  summary: 'Print a configuration file with every key, its meaning and its default.',
  ignoresSettings: 'config init prints the defaults',
  run: async () => ({ output: (await import('./config.ts')).initialConfig() }),
};
