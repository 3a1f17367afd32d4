// Writes what a verb prints, and finds out whether it was written. Everything that a verb prints goes through here.
//
// Node's own streams are no help: on a full disk write(2) may take the first half of a text and no more, which they do not
// look at, and the error of the next call comes when the program has ended. So the text is written to the descriptor
// itself until all of it is taken.
import { writeSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { program } from './program.ts';
import type { Outcome } from './verb.ts';

/** What is to be printed; every status that the program can end with. */
export interface Printout extends Omit<Outcome, 'status'> {
  readonly status?: 0 | 1 | 2;
}

const STDOUT = 1;
const STDERR = 2;
/** 128 + SIGPIPE: the status of a program that ended because nobody reads its output (`scan | head`). */
const READER_GONE_STATUS = 141;
/** A descriptor that another program has made non-blocking is tried again after this time. */
const RETRY_MS = 5;

/**
 * Prints an outcome, notes first.
 * @returns the exit status: the outcome's own; 141 without a word where the reader has closed the pipe; 1 where the text
 * cannot be written, after a message on standard error
 */
export async function print({ output = '', notes = '', status = 0 }: Printout): Promise<number> {
  for (const [descriptor, text] of [
    [STDERR, notes],
    [STDOUT, output],
  ] as const) {
    const failure = await write(descriptor, text);
    if (failure === undefined) continue;
    if (status !== 0 && descriptor === STDERR) return status; // The message of a failure is lost; the failure is not.
    if (failure.code === 'EPIPE') return READER_GONE_STATUS;
    const where = descriptor === STDOUT ? 'standard output' : 'standard error';
    const reason = failure.message.replace(/, write$/, '');
    await write(STDERR, `${program.name}: ${where} cannot be written (${reason}); what is there now is not complete\n`);
    return 1;
  }
  return status;
}

/** Writes a line on standard error at once, while the program goes on; a line that cannot be written is lost. */
export function remark(line: string): void {
  try {
    writeSync(STDERR, `${program.name}: ${line}\n`);
  } catch {}
}

/** Writes a picture on the terminal before it returns, also while the program ends. @returns false where the terminal is gone */
export function writeAtOnce(text: string): boolean {
  const bytes = Buffer.from(text);
  for (let written = 0; written < bytes.length; ) {
    try {
      written += writeSync(STDOUT, bytes, written);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return false;
    }
  }
  return true;
}

/** Writes all of a text. @returns why it could not be written; undefined where it was */
async function write(descriptor: number, text: string): Promise<NodeJS.ErrnoException | undefined> {
  const bytes = Buffer.from(text);
  for (let written = 0; written < bytes.length; ) {
    try {
      written += writeSync(descriptor, bytes, written);
    } catch (error) {
      const failure = error as NodeJS.ErrnoException;
      if (failure.code !== 'EAGAIN') return failure;
      await pause(RETRY_MS);
    }
  }
  return undefined;
}
