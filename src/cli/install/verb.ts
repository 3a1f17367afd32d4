// install, upgrade and uninstall: the exporter as a service of systemd.
import { resolve } from 'node:path';
import { UsageError, type Verb, type VerbOption } from '../verb.ts';
import type { InstallOptions } from './install.ts';

const DRY_RUN: VerbOption = { name: '--dry-run', help: 'Only say what would be done.' };

export const installVerb: Verb<InstallOptions> = {
  name: 'install',
  summary: 'Put the program, its systemd unit, its user, a configuration and a rule file in place on this host.',
  options: [
    DRY_RUN,
    { name: '--socket', help: 'Add a socket unit: systemd listens, and starts the exporter at the first scrape.' },
    {
      name: '--root',
      placeholder: 'PATH',
      help: 'Put the files below this folder, of an image or a package. Makes no user and calls no systemctl.',
    },
  ],
  ignoresSettings: 'install puts /etc/herakles/config.yaml in place',
  parse: ({ switches, values }) => ({
    dryRun: switches.has('--dry-run'),
    socket: switches.has('--socket'),
    root: rootOf(values.get('--root')),
  }),
  run: async (given) => (await import('./install.ts')).install(given),
};

/** An absolute path without a slash at its end; '' for this host. */
function rootOf(given: string | undefined): string {
  if (given === undefined) return '';
  const path = given === '' ? '/' : resolve(given);
  if (path === '/') throw new UsageError('--root is this host itself; name a folder, or leave --root out');
  return path;
}

export const upgradeVerb: Verb<{ readonly dryRun: boolean }> = {
  name: 'upgrade',
  summary: 'Replace the installed program and its units by those of this version, and restart the service if needed.',
  options: [DRY_RUN],
  ignoresSettings: 'upgrade keeps /etc/herakles/config.yaml',
  parse: ({ switches }) => ({ dryRun: switches.has('--dry-run') }),
  run: async (given) => (await import('./install.ts')).upgrade(given),
};

export const uninstallVerb: Verb<{ readonly dryRun: boolean }> = {
  name: 'uninstall',
  summary: 'Remove what install has put in place, and nothing else.',
  options: [DRY_RUN],
  ignoresSettings: 'uninstall removes what install has recorded, whatever the configuration says',
  parse: ({ switches }) => ({ dryRun: switches.has('--dry-run') }),
  run: async (given) => ({ output: (await import('./install.ts')).uninstall(given) }),
};
