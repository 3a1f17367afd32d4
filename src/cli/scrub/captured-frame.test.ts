import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { shippedClassifier, shippedExamples } from '../../../scripts/shipped-rules.ts';
import { commandLines, SECRET_SIGN } from '../../../test/command-lines.ts';
import { frameOf, type ProcessText } from '../../../test/kernel-text.ts';
import { type Frame, formatCapture, framedFiles, parseCapture } from '../../kernel/capture.ts';
import type { Identity } from '../../rules/identity.ts';
import { ProcessInspector } from '../explain/process-inspector.ts';
import { frameWithoutSecrets } from './captured-frame.ts';

/** A process that runs this. A comm is cut at 15 bytes. */
const proc = (
  pid: number,
  { name, argv, exe, unit }: Pick<Identity, 'name' | 'argv' | 'exe' | 'unit'>,
): ProcessText => ({
  ...{ pid, argv, exe, comm: Buffer.from(name).subarray(0, 15), memory: {} },
  cgroup: unit === '' ? '0::/\n' : `0::/system.slice/${unit}\n`,
});
const running = (pid: number, argv: readonly string[]): ProcessText =>
  proc(pid, { name: 'x', argv, exe: '', unit: '' });

async function rulesIn(frame: Frame, count: number): Promise<string[]> {
  const files = framedFiles([frame]);
  files.begin();
  const inspector = new ProcessInspector(files);
  const rules: string[] = [];
  for (let pid = 1; pid <= count; pid++) {
    const proc = await inspector.find(pid);
    rules.push(shippedClassifier.classify(await inspector.identityOf(proc!)).rule);
  }
  return rules;
}

test('a process of the capture has the rule of the live one, whatever examples of the catalogue run', async () => {
  const some = fc.array(fc.constantFrom(...shippedExamples), { minLength: 50, maxLength: 100, size: 'max' });
  let matched = 0;
  const property = fc.asyncProperty(some, async (examples) => {
    const frame = frameOf(
      {},
      examples.map((example, i) => proc(i + 1, example)),
    );
    const [replayed] = parseCapture(formatCapture([await frameWithoutSecrets(frame, [shippedClassifier])]));
    const live = await rulesIn(frame, examples.length);
    matched += live.filter((rule) => rule !== 'none').length;
    assert.deepEqual(await rulesIn(replayed!, examples.length), live);
  });
  await fc.assert(property, { numRuns: 2 });
  assert.ok(matched > 80, `${matched} had a rule`);
});

test('no secret of the table is in the text of a capture', async () => {
  const lines = commandLines('secret').map(({ argv }) => argv.map((word) => word.replaceAll(SECRET_SIGN, 'tangerine')));
  const frame = frameOf(
    {},
    lines.map((argv, i) => running(i + 1, argv)),
  );
  assert.match(formatCapture([frame]), /tangerine/);
  const text = formatCapture([await frameWithoutSecrets(frame, [shippedClassifier])]);
  assert.doesNotMatch(text, /tangerine/);
  assert.equal(text.match(/cmdline/g)!.length, lines.length);
});

test('values are hidden as well where nothing else of the process, or of the host, can be read', async () => {
  const argv = ['x', '--password', 'tangerine', '-k', 'tangerine'];
  const frame = frameOf({}, [{ ...running(7, argv), state: 'D' }]);
  const alone: Frame = new Map([...frame].filter(([path]) => path.endsWith('/cmdline')));
  for (const each of [frame, alone]) {
    const text = formatCapture([await frameWithoutSecrets(each, [shippedClassifier])]);
    assert.match(text, /cmdline x\\x00--password\\x00\*\*\*\\x00-k\\x00\*\*\*\\x00\n/);
  }
});

test('bytes that are no text, an empty command line and one that cannot be read harm nothing', async () => {
  const frame: Frame = new Map([
    ...frameOf({}, [running(1, ['x', '\xff\xfe=\x80', '']), { ...running(8, []), kernelThread: true }]),
    ['proc/9/cmdline', { failed: 'gone' } as const],
  ]);
  const safe = await frameWithoutSecrets(frame, [shippedClassifier]);
  assert.deepEqual([...safe.keys()], [...frame.keys()]);
  assert.deepEqual([...safe].slice(-1), [...frame].slice(-1));
  assert.deepEqual(await rulesIn(safe, 1), ['none']);
});
