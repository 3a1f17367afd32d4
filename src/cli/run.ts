// Runs the verb of an invocation, prints what it gives, and says with which status the program ends.
import { ConfigError } from '../config/load.ts';
import { ListenError } from '../server/listeners.ts';
import type { Invocation } from './arguments.ts';
import { program } from './program.ts';
import { VerbError } from './verb.ts';

/**
 * An error that the operator can mend becomes one message; any other is thrown.
 * @returns the exit status: 0; 1 where what is asked for cannot be had, or the answer is "no"; 2 where what is given is wrong
 */
export async function run({ verb, given, settings }: Invocation): Promise<number> {
  try {
    const { output = '', notes = '', status = 0 } = await verb.run(given, settings);
    process.stderr.write(notes);
    process.stdout.write(output);
    return status;
  } catch (error) {
    if (!(error instanceof ConfigError || error instanceof ListenError || error instanceof VerbError)) throw error;
    process.stderr.write(`${program.name}: ${error.message}\n`);
    return error instanceof VerbError ? 1 : 2;
  }
}
