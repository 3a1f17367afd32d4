// The truths of ground-truth.e2e.ts (memory, CPU, storm of short processes, reused pids, threads, exec), with the BPF program as the
// source of the cheap counters.
import { test } from 'node:test';
import { pinProgram, whyNotPinned } from './pinned-program.ts';

const reason = whyNotPinned();
if (reason) test('what is true by /proc is true by the BPF program', { skip: reason }, () => {});
else {
  process.env.HERAKLES_SOURCE = 'bpf';
  process.env.HERAKLES_BPF_FILE = pinProgram('root');
  await import('./ground-truth.e2e.ts');
}
