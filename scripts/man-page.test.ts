import assert from 'node:assert/strict';
import { test } from 'node:test';
import { verbs } from '../src/cli/verbs.ts';
import { flagsOf, keys, noFlagsOf, optionOf, variableOf } from '../src/config/options.ts';
import { manPage } from './man-page.ts';

test('the manual page has every command and every option in every spelling', () => {
  const page = manPage().replaceAll('\\-', '-');
  for (const { name } of verbs) assert.ok(page.includes(`\\fB${name}\\fR`), name);
  for (const key of keys)
    for (const word of [...flagsOf(key), ...(optionOf(key).type.placeholder ? [] : noFlagsOf(key)), variableOf(key)])
      assert.ok(page.includes(`\\fB${word}\\fR`), word);
});

test('no line of the manual page is a request by accident', () => {
  for (const line of manPage().split('\n'))
    if (/^[.']/.test(line)) assert.match(line, /^\.(?:\\"|TH|SH|SS|TP|RS|RE|B|BR|RI)(?: |$)/);
});
