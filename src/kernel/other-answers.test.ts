import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OtherAnswersPool } from './other-answers.ts';
import { CODE_OF, codeOfReason, SKIPPED } from './reader-frames.ts';

const { status, cmdline } = CODE_OF;
const long = Buffer.alloc(5000, 'x');

test('an answer is copied, and the number of a reason is kept', () => {
  const answers = new OtherAnswersPool().take();
  const frame = Buffer.from('..status..');
  answers.set(status, 6, frame, 2);
  frame.fill('!');
  assert.equal(Buffer.from(answers.bytesOf(status)).toString('latin1', 0, answers.lengthOf(status)), 'status');
  assert.deepEqual(answers.copyOf(status), new Uint8Array(Buffer.from('status')));
  answers.set(status, codeOfReason('denied'), undefined, 0);
  assert.deepEqual(
    [answers.lengthOf(status), answers.copyOf(status)],
    [codeOfReason('denied'), codeOfReason('denied')],
  );
  answers.set(cmdline, 0, frame, 0);
  assert.deepEqual(answers.copyOf(cmdline), new Uint8Array(0));
});

test('what was released has no answer when it is used again, and memory only for short ones', () => {
  const pool = new OtherAnswersPool();
  const answers = pool.take();
  answers.set(status, 1000, long, 0);
  answers.set(cmdline, 5000, long, 0);
  const memory = answers.bytesOf(status);
  pool.release(answers);
  assert.equal(pool.take(), answers);
  assert.deepEqual([answers.lengthOf(status), answers.lengthOf(cmdline)], [SKIPPED, SKIPPED]);
  assert.equal(answers.bytesOf(cmdline).length, 0);
  answers.set(status, 1001, long, 0);
  assert.equal(answers.bytesOf(status), memory);
});

test('no more objects wait than the pool is for', () => {
  const pool = new OtherAnswersPool();
  const taken = Array.from({ length: 400 }, () => pool.take());
  assert.equal(new Set(taken).size, 400);
  for (const each of taken) pool.release(each);
  const again = Array.from({ length: 400 }, () => pool.take());
  assert.equal(again.filter((each) => taken.includes(each)).length, 256);
});
