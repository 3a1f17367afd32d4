// install and uninstall: the exporter as a service of systemd.
import type { Verb, VerbOption } from '../verb.ts';

const DRY_RUN: VerbOption = { name: '--dry-run', help: 'Only say what would be done.' };

export const installVerb: Verb<{ readonly dryRun: boolean; readonly socket: boolean }> = {
  name: 'install',
  summary: 'Put the program, its systemd unit, its user, a configuration and a rule file in place on this host.',
  options: [
    DRY_RUN,
    { name: '--socket', help: 'Add a socket unit: systemd listens, and starts the exporter at the first scrape.' },
  ],
  ignoresSettings: 'install puts /etc/herakles/config.yaml in place',
  parse: ({ switches }) => ({ dryRun: switches.has('--dry-run'), socket: switches.has('--socket') }),
  run: async (given) => (await import('./install.ts')).install(given),
};

export const uninstallVerb: Verb<{ readonly dryRun: boolean }> = {
  name: 'uninstall',
  summary: 'Remove what install has put in place, and nothing else.',
  options: [DRY_RUN],
  ignoresSettings: 'uninstall removes what install has recorded, whatever the configuration says',
  parse: ({ switches }) => ({ dryRun: switches.has('--dry-run') }),
  run: async (given) => ({ output: (await import('./install.ts')).uninstall(given) }),
};
