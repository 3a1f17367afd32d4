// Hides the values of command lines in a recorded frame, before it leaves the host.

import { type Frame, framedFiles } from '../../kernel/capture.ts';
import { KernelFileError } from '../../kernel/files.ts';
import { parseCmdline } from '../../kernel/pid.ts';
import type { Classifier } from '../../rules/classifier.ts';
import { type Identity, UNKNOWN_IDENTITY } from '../../rules/identity.ts';
import { ProcessInspector } from '../explain/process-inspector.ts';
import { withoutSecrets } from './scrub.ts';

const COMMAND_LINE = /^proc\/(\d+)\/cmdline$/;

/**
 * @param classifiers each gives every process of the result the rule that it gives for the real command line
 * @returns the frame, with what may be shown of its command lines
 */
export async function frameWithoutSecrets(frame: Frame, classifiers: readonly Classifier[]): Promise<Frame> {
  const files = framedFiles([frame]);
  files.begin();
  const inspector = inspectorOf(files);
  const shown = new Map(frame);
  for (const [path, entry] of frame) {
    const pid = COMMAND_LINE.exec(path)?.[1];
    if (pid === undefined || !('bytes' in entry)) continue;
    // As the rules see it: what stands behind its first 64 KiB is not recorded.
    const argv = parseCmdline(entry.bytes, entry.bytes.length);
    const words = withoutSecrets({ ...(await identityOf(inspector, Number(pid))), argv }, classifiers).argv;
    shown.set(path, { bytes: Buffer.from(words.map((word) => `${word}\0`).join('')) });
  }
  return shown;
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
async function identityOf(inspector: ProcessInspector | undefined, pid: number): Promise<Identity> {
  try {
    const proc = await inspector?.find(pid);
    return proc && inspector ? await inspector.identityOf(proc) : UNKNOWN_IDENTITY;
  } catch (error) {
    if (error instanceof KernelFileError) return UNKNOWN_IDENTITY;
    throw error;
  }
}
