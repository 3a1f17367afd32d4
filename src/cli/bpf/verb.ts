// bpf pin, unpin and status: the BPF program that lists all processes at once.
import type { Verb, VerbGroup } from '../verb.ts';

export const bpfGroup: VerbGroup = {
  name: 'bpf',
  summary: 'Load the BPF program that makes collections cheap, remove it, or look at it.',
};

export interface PinOptions {
  readonly group: string;
}

export const bpfPinVerb: Verb<PinOptions> = {
  name: 'bpf pin',
  summary: 'Load the BPF program and pin it at bpf_file, where the exporter reads it without any capability; as root.',
  options: [
    {
      name: '--group',
      placeholder: 'GROUP',
      default: 'herakles',
      help: 'Group whose members may read the list, as a name or a number.',
    },
  ],
  parse: ({ values }) => ({ group: values.get('--group')! }),
  run: async ({ group }, settings) => {
    const [{ pin }, file] = await Promise.all([import('./pin.ts'), fileOf(settings)]);
    return { output: pin(file, group) };
  },
};

export const bpfUnpinVerb: Verb = {
  name: 'bpf unpin',
  summary: 'Remove the BPF program: the exporter goes back to /proc.',
  run: async (_, settings) => {
    const [{ unpin }, file] = await Promise.all([import('./pin.ts'), fileOf(settings)]);
    return { output: unpin(file) };
  },
};

export const bpfStatusVerb: Verb = {
  name: 'bpf status',
  summary: 'Say what the BPF program needs, what is missing, and whether its list agrees with /proc.',
  run: async (_, settings) => {
    const [{ status }, { configOf }] = await Promise.all([import('./status.ts'), import('./pinned-file.ts')]);
    return status(await configOf(settings));
  },
};

async function fileOf(settings: Parameters<Verb['run']>[1]): Promise<string> {
  const { configOf } = await import('./pinned-file.ts');
  return (await configOf(settings)).bpf_file;
}
