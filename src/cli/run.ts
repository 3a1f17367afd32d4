// Runs the verb of an invocation, prints what it gives, and says with which status the program ends.
import { ConfigError } from '../config/load.ts';
import { ListenError } from '../server/listeners.ts';
import type { Invocation } from './arguments.ts';
import { print } from './output.ts';
import { program } from './program.ts';
import { VerbError } from './verb.ts';

/**
 * An error that the operator can mend becomes one message; any other is thrown.
 * @returns the exit status: 0; 1 where what is asked for cannot be had, or cannot be written, or the answer is "no"; 2 where
 * what is given is wrong; 141 where nobody reads the output any more
 */
export async function run({ verb, given, settings }: Invocation): Promise<number> {
  try {
    return await print(await verb.run(given, settings));
  } catch (error) {
    if (!(error instanceof ConfigError || error instanceof ListenError || error instanceof VerbError)) throw error;
    return print({ notes: `${program.name}: ${error.message}\n`, status: error instanceof VerbError ? 1 : 2 });
  }
}
