// argv → cli. The only place that ends the process.
import './agent/heap.ts';
import { parseArguments } from './cli/arguments.ts';
import { run } from './cli/run.ts';

const program = {
  version: globalThis.HERAKLES_VERSION ?? 'dev',
  revision: globalThis.HERAKLES_REVISION ?? 'unknown',
};

async function main(): Promise<number> {
  const asked = parseArguments(process.argv.slice(2));
  if ('status' in asked) {
    (asked.status === 0 ? process.stdout : process.stderr).write(asked.output);
    return asked.status;
  }
  return run(asked, program);
}

main().then(
  // Ends when everything is written: a pipe takes 64 KiB at a time, and its reader may be slow.
  (status) => process.stdout.write('', () => process.exit(status)),
  (error) => {
    process.stderr.write(`herakles-node-exporter: ${error?.stack ?? error}\n`);
    process.exit(1);
  },
);
