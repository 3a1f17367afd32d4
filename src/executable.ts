// Where the single executable starts (scripts/release/executable.ts): the bundle and the reader's program are assets in it.
//
// The executable starts itself again as the reader (kernel/reader-process.ts). It has no option -e, and it runs only the
// program that it holds: an executable with file capabilities must not lend them to any program that somebody gives it.
import { getRawAsset } from 'node:sea';
import { setFlagsFromString } from 'node:v8';
import { compileFunction } from 'node:vm';
import { READER_WORD } from './kernel/executable.ts';

/** What reader-process.ts gives Node.js as options, as far as it still has an effect: a small heap, no threads of V8. */
const READER_FLAGS = ['--semi-space-growth-factor=1', '--single-threaded', '--optimize-for-size'];

/** Runs a CommonJS program of plain ASCII. */
function run(name: string): void {
  const text = Buffer.from(getRawAsset(name) as ArrayBuffer).toString('latin1');
  const module = { exports: {} };
  compileFunction(text, ['require', 'module', 'exports'], { filename: name })(require, module, module.exports);
}

if (process.argv[2] === READER_WORD) {
  for (const flag of READER_FLAGS) setFlagsFromString(flag);
  process.argv.splice(1, 2);
  run('reader.js');
} else run('herakles.cjs');
