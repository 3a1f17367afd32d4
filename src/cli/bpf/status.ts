// bpf status: what the BPF program needs and what is missing, and whether the list that is pinned agrees with /proc.

import { clock } from '../../agent/time-slices.ts';
import type { Config } from '../../config/options.ts';
import { bpfFiles } from '../../kernel/bpf-files.ts';
import { FileRequests } from '../../kernel/files.ts';
import { guardedFiles } from '../../kernel/guarded-files.ts';
import { program } from '../program.ts';
import type { Outcome } from '../verb.ts';
import { requirements } from './requirements.ts';

/** @returns status 1 where the exporter cannot use the program */
export async function status({ bpf_file: file, path_procfs: procfs, source }: Config): Promise<Outcome> {
  const lines = requirements().map(({ name, found, missing }) => line(name, found ?? `MISSING: ${missing}`));
  const files = bpfFiles(await guardedFiles(procfs, clock), file, clock, true);
  files.begin();
  await files.prefetch(new FileRequests());
  const { problem } = files.source!;
  lines.push(
    line(
      'pinned',
      problem
        ? `${file}: ${problem}`
        : `${file} lists ${[...files.pids()].length} processes, and agrees with ${procfs}`,
    ),
  );
  if (problem !== undefined)
    lines.push(line('', `the exporter reads ${procfs}; pin the program: ${program.name} bpf pin`));
  else if (source === 'procfs') lines.push(line('', 'the exporter does not use it, because source is procfs'));
  return { output: lines.join(''), status: problem === undefined ? 0 : 1 };
}

const line = (name: string, text: string): string => `${`${name}${name && ':'}`.padEnd(10)}${text}\n`;
