// install, upgrade and uninstall: the exporter as a service of systemd.
import { path } from '../../config/value-types.ts';
import { parseWord, UsageError, type Verb, type VerbOption } from '../verb.ts';

const DRY_RUN: VerbOption = { name: '--dry-run', help: 'Only say what would be done.' };

export interface InstallOptions {
  readonly dryRun: boolean;
  readonly socket: boolean;
  readonly bpf: boolean;
  /** The folder of an image or a package; '' is this host. */
  readonly root: string;
}

export const installVerb: Verb<InstallOptions> = {
  name: 'install',
  summary: 'Put the program, its systemd unit, its user, a configuration and a rule file in place on this host.',
  options: [
    DRY_RUN,
    { name: '--socket', help: 'Add a socket unit: systemd listens, and starts the exporter at the first scrape.' },
    { name: '--bpf', help: 'Add a unit that pins the BPF program when the machine starts; it needs bpftool.' },
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
    bpf: switches.has('--bpf'),
    root: rootOf(values.get('--root')),
  }),
  run: async (given) => (await import('./install.ts')).install(given),
};

const FOLDER = path('a folder');

/** An absolute path without a slash at its end; '' for this host. */
function rootOf(given: string | undefined): string {
  if (given === undefined) return '';
  const root = FOLDER.resolve(parseWord('--root', given, FOLDER), process.cwd());
  if (root === '/') throw new UsageError('--root is this host itself; name a folder, or leave --root out');
  return root;
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
