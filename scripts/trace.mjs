// npm run trace: names the source lines of a stack that somebody sent. It reads the stack from standard input, and the
// source map beside a bundle that was built at the revision which `--version` named:
//
//   git checkout REVISION && npm run build && npm run --silent trace < stack.txt
//
//   at collect (/usr/local/lib/herakles/herakles.cjs:12:3456)   becomes   at collect (src/agent/sampler.ts:120:11)
//
// The same sources give the same bundle on every machine, so a map of one's own build fits. The exporter itself never
// reads the map: Node.js would keep it in memory for as long as the exporter runs.
import { readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from './install.mjs';

const { values } = parseArgs({ options: { map: { type: 'string', default: `${root}dist/herakles.cjs.map` } } });
process.stdout.write(trace(readFileSync(0, 'utf8'), JSON.parse(readFileSync(values.map, 'utf8'))));

/**
 * A text in which places of the bundle are replaced by places of its sources. What the map does not know stays.
 * @param {string} text
 * @param {import('node:module').SourceMapPayload} payload
 */
function trace(text, payload) {
  const map = new SourceMap(payload);
  return text.replace(/[^\s("']*herakles\.cjs:(\d+):(\d+)/g, (place, line, column) => {
    const entry = map.findEntry(line - 1, column - 1);
    if (!('originalSource' in entry)) return place;
    const source = relative(root, join(dirname(values.map), entry.originalSource));
    return `${source}:${entry.originalLine + 1}:${entry.originalColumn + 1}`;
  });
}
