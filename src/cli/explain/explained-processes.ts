// Every process of a collection with what the rules make of it. Its identity is read again, because the collection does
// not keep command lines.
import { type KernelFiles, reasonOf } from '../../kernel/files.ts';
import type { ProcessDescription } from '../../process/process.ts';
import type { ClassificationExplanation, Classifier } from '../../rules/classifier.ts';
import { type Identity, isWithoutRule } from '../../rules/identity.ts';
import type { ProcessRows } from '../../view/process-rows.ts';
import { ProcessInspector } from './process-inspector.ts';

export interface ExplainedProcess {
  readonly description: ProcessDescription;
  /** Undefined, like the explanation, where the process has ended since it was collected. */
  readonly identity: Identity | undefined;
  readonly explanation: ClassificationExplanation | undefined;
  /** Bytes; NaN where it cannot be read. */
  readonly rss: number;
  readonly pss: number;
}

/** Two readings of the time of the boot may differ by this many seconds. */
const SAME_START = 2;

/** @returns also each file that rules need and that was denied, with the number of processes that rules may miss so */
export async function explainProcesses(rows: ProcessRows, files: KernelFiles, classifier: Classifier) {
  const inspector = new ProcessInspector(files);
  const processes: ExplainedProcess[] = [];
  for (let row = 0; row < rows.length; row++) {
    const description = rows.description[row]!;
    const identity = await identityOf(inspector, description);
    const explanation = identity && classifier.explain(identity);
    processes.push({ description, identity, explanation, rss: rows.rss[row]!, pss: rows.pss[row]! });
  }
  const denied = inspector.unreadable.counts().filter((count) => count.reason === 'denied' && count.processes > 0);
  return { processes, denied };
}

/** Undefined where the process has ended since it was collected, where its pid was given again, or for a kernel thread. */
async function identityOf(
  inspector: ProcessInspector,
  { pid, startTime }: ProcessDescription,
): Promise<Identity | undefined> {
  try {
    const proc = await inspector.find(pid);
    if (!proc) return undefined;
    const same = !proc.kernelThread && Math.abs(inspector.startTimeOf(proc) - startTime) < SAME_START;
    const identity = same ? await inspector.identityOf(proc) : undefined;
    proc.files.close();
    return identity;
  } catch (error) {
    reasonOf(error); // a file of it cannot be read
    return undefined;
  }
}

/** Whether no rule put the process into its group: it is in other/other, or in the group of its service. */
export const isUnmatched = ({ description }: ExplainedProcess): boolean => isWithoutRule(description);
