// Where the program starts: parses the command line and runs the verb it names. The only place that ends the process.
import './agent/heap.ts';
import { parseArguments } from './cli/arguments.ts';
import { program } from './cli/program.ts';
import { run } from './cli/run.ts';

async function main(): Promise<number> {
  const parsed = parseArguments(process.argv.slice(2));
  if ('verb' in parsed) return run(parsed);
  (parsed.status === 0 ? process.stdout : process.stderr).write(parsed.output);
  return parsed.status;
}

main().then(
  // The callback runs when everything is written: a pipe takes 64 KiB at a time, and its reader may be slow.
  (status) => process.stdout.write('', () => process.exit(status)),
  (error) => {
    process.stderr.write(`${program.name}: ${error?.stack ?? error}\n`);
    process.exit(1);
  },
);
