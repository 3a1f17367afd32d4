// Parses what an operator wrote: a short text here, a long one on a thread of its own. Parsers cannot pause: 1 MiB of TOML
// or 128 KiB of YAML takes up to half a second, and an exporter that serves would answer nobody meanwhile. Files as
// `config init` writes them are short: for them a thread would take more time and memory than the parser.
//
// The thread has a limit of time and memory. Whatever happens to it, the text gives a value or a MalformedFileError.
import { Worker } from 'node:worker_threads';
import { MalformedFileError } from './malformed-file.ts';
import { type ParserAnswer, type ParserJob, type Parsers, parsers } from './parsers.ts';

/** Characters of the longest text that is parsed on this thread; it takes a few milliseconds. */
const SHORT_MAX = 16 * 1024;
/** Milliseconds. The longest texts take half a second, and ten times as long on a busy machine. */
const LIMIT_MS = 30_000;
/** Memory of the thread for values, MiB. The longest texts take a quarter of it. */
const HEAP_MAX_MIB = 256;

/** Starts the thread with a text. */
export type StartParser = (job: ParserJob) => Promise<Pick<Worker, 'on' | 'terminate'>>;

/** @param rest arguments of the parser behind the text @throws MalformedFileError */
export async function parseText<Name extends keyof Parsers>(
  name: Name,
  ...[text, ...rest]: Parameters<Parsers[Name]>
): Promise<Awaited<ReturnType<Parsers[Name]>>> {
  const parse = parsers[name] as (...args: readonly unknown[]) => ReturnType<Parsers[Name]>;
  return text.length <= SHORT_MAX
    ? await parse(text, ...rest)
    : ((await parseOnThread({ name, args: [text, ...rest] })) as Awaited<ReturnType<Parsers[Name]>>);
}

/** @param start starts the thread @param limitMs time that it has @throws MalformedFileError */
export async function parseOnThread(
  job: ParserJob,
  start: StartParser = startParser,
  limitMs = LIMIT_MS,
): Promise<unknown> {
  let thread: Awaited<ReturnType<StartParser>> | undefined;
  let timer: NodeJS.Timeout | undefined;
  try {
    const started = await start(job);
    thread = started;
    const answer = await new Promise<ParserAnswer>((resolve, reject) => {
      started.on('message', resolve);
      started.on('error', reject);
      started.on('exit', () => reject(new Error('the thread of the parser ended')));
      timer = setTimeout(() => reject(new Error(`the parser needs more than ${limitMs / 1000} seconds`)), limitMs);
    });
    if ('fault' in answer) throw new MalformedFileError(answer.line, answer.fault);
    return answer.parsed;
  } catch (error) {
    if (error instanceof MalformedFileError) throw error;
    throw new MalformedFileError(
      1,
      `cannot be parsed (${(error as Error).message}); make it shorter, or load it again`,
    );
  } finally {
    clearTimeout(timer);
    void thread?.terminate();
  }
}

async function startParser(job: ParserJob): Promise<Worker> {
  const { default: source } = await import('./parser-worker.ts?source');
  const resourceLimits = { maxOldGenerationSizeMb: HEAP_MAX_MIB };
  return new Worker(source, { eval: true, env: {}, execArgv: [], workerData: job, resourceLimits });
}
