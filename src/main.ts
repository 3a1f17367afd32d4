// Where the program starts: parses the command line and runs the verb it names. The only place that ends the process.
import './cli/node-signals.ts'; // First of all: it closes what a signal can open.
import './agent/heap.ts';
import { parseArguments } from './cli/arguments.ts';
import { print } from './cli/output.ts';
import { program } from './cli/program.ts';
import { run } from './cli/run.ts';

async function main(): Promise<number> {
  const parsed = parseArguments(process.argv.slice(2));
  if ('verb' in parsed) return run(parsed);
  const { output, status } = parsed;
  return print(status === 0 ? { output } : { notes: output, status });
}

void main()
  .catch((error) => print({ notes: `${program.name}: ${error?.stack ?? error}\n`, status: 1 }))
  .then((status) => process.exit(status));
