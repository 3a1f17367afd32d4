// The runbooks as HTML: every alert has its section, and every part of the text arrives.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parse } from 'yaml';
import { runbooksOf, runbooksPage } from './runbooks.ts';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const html = runbooksPage();

test('every alert has a section, and every section is of an alert', () => {
  const rules = parse(read('deploy/prometheus/rules/herakles-alerts.yml')) as {
    groups: { rules: { alert?: string }[] }[];
  };
  const alerts = new Set(rules.groups.flatMap(({ rules }) => rules.flatMap(({ alert }) => alert ?? [])));
  const titles = [...html.matchAll(/<section id="(\w+)"><h2>(\w+)<\/h2>/g)];
  assert.deepEqual(titles.map(([, , title]) => title!).sort(), [...alerts].sort());
  for (const [, anchor, title] of titles) assert.equal(anchor, title!.toLowerCase());
});

test('no word of the document is lost, and no markup is left', () => {
  const decoded = html.replace(/<[^>]+>/g, ' ').replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)));
  const shown = new Set(decoded.split(/\s+/).map((word) => word.replace(/[.,:;()]/g, '')));
  for (const { title, markdown } of runbooksOf(read('docs/alerting.md'))) {
    const words = markdown
      .replace(/\]\([^)]*\)/g, ' ')
      .replace(/^```.*$/gm, ' ')
      .replace(/\*\*|`|\[/g, ' ')
      .split(/\s+/);
    for (const word of words.filter((word) => /^[A-Za-z]{3,}$/.test(word)))
      assert.ok(shown.has(word) || decoded.includes(word), `${title}: ${word}`);
  }
  assert.ok(!html.includes('\ufffd'), 'no character is replaced');
  assert.doesNotMatch(decoded.replace(/\brate\([^)]*\)/g, ''), /\*\*|```|\]\(/);
});

test('links lead to sections of the page', () => {
  const ids = new Set([...html.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id!));
  const targets = [...html.matchAll(/<a href="([^"]+)"/g)].map(([, target]) => target!);
  assert.ok(targets.length > ids.size);
  for (const target of targets) assert.ok(target === './' || ids.has(target.slice(1)), target);
});

test('text of the document cannot become markup', () => {
  const text =
    '**Means** `<b>**` & <script> [a](#heraklesx) [b](y.md) [c](javascript:x)\n\n```sh\n<i>`x`\n```\n\n| A | B |\n|---|---|\n| <u> | **c** |\n';
  const page = runbooksPage(`# x\n\n## Other\n\nleft out\n\n## HeraklesX\n\n${text}`);
  assert.doesNotMatch(page, /<script|<b>|<i>|<u>|javascript:|left out/i);
  assert.ok(page.includes('<p><strong>Means</strong> <code>&#60;b&#62;**</code> &#38; &#60;script&#62; '));
  assert.ok(page.includes('<a href="#heraklesx">a</a> b c</p>'));
  assert.ok(page.includes('<pre tabindex="0"><code>&#60;i&#62;&#96;x&#96;\n</code></pre>'));
  assert.ok(page.includes('<td>&#60;u&#62;</td><td><strong>c</strong></td>'));
});
