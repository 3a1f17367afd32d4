// Hides the values of command lines in a recorded frame, before it leaves the host.

import { type Frame, framedFiles } from '../../kernel/capture.ts';
import { KernelFileError } from '../../kernel/files.ts';
import { parseCmdline } from '../../kernel/pid.ts';
import type { Classifier } from '../../rules/classifier.ts';
import type { Identity } from '../../rules/identity.ts';
import { ProcessInspector } from '../explain/process-inspector.ts';
import { withoutSecrets } from './scrub.ts';

const UNKNOWN: Identity = { name: '', exe: '', argv: [], user: '', unit: '', container: '', podUid: '' };
const COMMAND_LINE = /^proc\/(\d+)\/cmdline$/;

/**
 * @param classifiers by each of which every process of the result has the rule that it has by its real command line
 * @returns the frame, with what may be shown of its command lines
 */
export function frameWithoutSecrets(frame: Frame, classifiers: readonly Classifier[]): Frame {
  const files = framedFiles([frame]);
  files.begin();
  const inspector = inspectorOf(files);
  return new Map(
    [...frame].map(([path, entry]) => {
      const pid = COMMAND_LINE.exec(path)?.[1];
      if (pid === undefined || !('bytes' in entry)) return [path, entry];
      // As the rules see it: what stands behind its first 64 KiB is not recorded.
      const argv = parseCmdline(entry.bytes, entry.bytes.length);
      const shown = withoutSecrets({ ...identityOf(inspector, Number(pid)), argv }, classifiers).argv;
      return [path, { bytes: Buffer.from(shown.map((word) => `${word}\0`).join('')) }];
    }),
  );
}

function inspectorOf(files: ReturnType<typeof framedFiles>): ProcessInspector | undefined {
  try {
    return new ProcessInspector(files);
  } catch (error) {
    if (error instanceof KernelFileError) return undefined;
    throw error;
  }
}

/** What else is known of the process; nothing where the frame has not even its stat. */
function identityOf(inspector: ProcessInspector | undefined, pid: number): Identity {
  try {
    const proc = inspector?.find(pid);
    return proc && inspector ? inspector.identityOf(proc) : UNKNOWN;
  } catch (error) {
    if (error instanceof KernelFileError) return UNKNOWN;
    throw error;
  }
}
