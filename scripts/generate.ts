// npm run generate: writes the generated files. With --check it writes nothing, and fails where a committed file differs.
import { readFileSync, writeFileSync } from 'node:fs';
import { generatedFiles } from './generated-files.ts';

const root = new URL('..', import.meta.url).pathname;
for (const { path, make } of generatedFiles) {
  const text = make();
  if (!process.argv.includes('--check')) writeFileSync(root + path, text);
  else if (readFileSync(root + path, 'utf8') !== text) {
    console.error(`${path} differs from what its declaration makes; run: npm run generate`);
    process.exitCode = 1;
  }
}
