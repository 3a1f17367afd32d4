// One verb each: runs what was asked for and says how it ended. Errors of the operator's making become one message.
import { ConfigError, load } from '../config/load.ts';
import { ListenError } from '../server/listeners.ts';
import type { Invocation } from './arguments.ts';
import { NotFound, sourcesOf } from './load-host.ts';

/** @returns the exit status: 0, 1 when what was asked for cannot be had, 2 when what was given is wrong */
export async function run(asked: Invocation, program: { version: string; revision: string }): Promise<number> {
  try {
    switch (asked.verb) {
      case 'serve':
        await (await import('./serve/serve.ts')).serve(asked, program);
        return 0;
      case 'check':
        return print(await (await import('./check/check.ts')).check(asked));
      case 'scan':
        return print(await (await import('./scan/scan.ts')).scan(asked));
      case 'explain':
        return print(await (await import('./explain/explain-process.ts')).explain(asked));
      case 'subgroups':
        return print(await (await import('./subgroups/subgroup-table.ts')).subgroups(asked));
      case 'subgroups lint':
        return report(await (await import('./subgroups/lint.ts')).lintFiles(asked));
      case 'subgroups test':
        return report(await (await import('./subgroups/expectations.ts')).testExpectations(asked));
      case 'import process-exporter':
        return report(await (await import('./import/rule-file-text.ts')).importProcessExporter(asked));
      case 'capture':
        return print(await (await import('./capture/capture.ts')).capture(asked));
      case 'install':
        return print((await import('./install/install.ts')).install(asked));
      case 'uninstall':
        return print((await import('./install/install.ts')).uninstall(asked));
      case 'config show':
        return print((await import('./config/config.ts')).showConfig(await load(sourcesOf(asked)), asked.json));
      case 'config init':
        return print((await import('./config/config.ts')).initialConfig());
    }
  } catch (error) {
    if (!(error instanceof ConfigError || error instanceof ListenError || error instanceof NotFound)) throw error;
    process.stderr.write(`herakles-node-exporter: ${error.message}\n`);
    return error instanceof NotFound ? 1 : 2;
  }
}

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}

/** An answer whose status says something, or that has remarks for people. */
function report({ output, notes = '', status = 0 }: { output: string; notes?: string; status?: number }): number {
  process.stderr.write(notes);
  print(output);
  return status;
}
