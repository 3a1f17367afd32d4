// check: is the configuration right, and what may this user read?
import type { Verb } from '../verb.ts';

export const checkVerb: Verb = {
  name: 'check',
  summary: 'Check the configuration, the kernel and the rights of this user, and say what to grant.',
  run: async (_, settings) => ({ output: await (await import('./check.ts')).check(settings) }),
};
