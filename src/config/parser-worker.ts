// The thread that parses one long text of an operator's file, and ends. See parser-thread.ts.
import { parentPort, workerData } from 'node:worker_threads';
import { MalformedFileError } from './malformed-file.ts';
import { type ParserAnswer, type ParserJob, parsers } from './parsers.ts';

const { name, args } = workerData as ParserJob;
const parse = parsers[name] as (...args: readonly unknown[]) => Promise<unknown>;
parse(...args).then(
  (parsed) => parentPort!.postMessage({ parsed } satisfies ParserAnswer),
  (error: unknown) => {
    if (!(error instanceof MalformedFileError)) throw error;
    parentPort!.postMessage({ line: error.line, fault: error.message } satisfies ParserAnswer);
  },
);
