// serve: what the program does without a verb.
import type { Verb } from '../verb.ts';

export const serveVerb: Verb = {
  name: 'serve',
  summary: 'Serve metrics to Prometheus; without a command the program does the same.',
  run: async (_, settings) => {
    await (await import('./serve.ts')).serve(settings);
    return {};
  },
};
