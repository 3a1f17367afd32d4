import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { foreignStep } from './path-control.ts';

const USER = 1234;
const root = process.getuid?.() === 0;
// Below a folder of root where nobody else may write, unlike /tmp.
const base = root ? mkdtempSync('/var/lib/herakles-') : '';
after(() => root && rmSync(base, { recursive: true }));

const folder = (name: string, mode = 0o755, uid = 0): void => {
  mkdirSync(`${base}/${name}`, { recursive: true });
  chmodSync(`${base}/${name}`, mode);
  chownSync(`${base}/${name}`, uid, uid);
};
const file = (name: string, mode = 0o644, uid = 0): void => {
  writeFileSync(`${base}/${name}`, '');
  chmodSync(`${base}/${name}`, mode);
  chownSync(`${base}/${name}`, uid, uid);
};

/** The paths below `base` at which the strict and the lenient look stop; "" where nobody else can change anything. */
const looks = (name: string): string[] =>
  [false, true].map((lenient) => foreignStep(`${base}/${name}`, lenient)?.path.slice(base.length + 1) ?? '');

test('every step of a path counts, and every step of a link', { skip: !root }, () => {
  for (const name of ['own', 'own/deep']) folder(name);
  folder('theirs', 0o755, USER);
  folder('theirs/own');
  folder('group', 0o775);
  folder('sticky', 0o1777);
  folder('sticky/own');
  for (const name of ['own/f', 'own/deep/f', 'theirs/own/f', 'group/f', 'sticky/f', 'sticky/own/f']) file(name);
  file('own/theirs', 0o644, USER);
  file('own/world', 0o646);
  symlinkSync('../theirs/own', `${base}/own/relative`);
  symlinkSync(`${base}/own/deep`, `${base}/own/absolute`);
  symlinkSync('circle', `${base}/own/circle`);
  symlinkSync(`${base}/own/f`, `${base}/sticky/own/link`);
  const cases: [name: string, strict: string, lenient: string][] = [
    ['own/deep/f', '', ''],
    ['own/none/f', '', ''],
    ['own/./deep/../f', '', ''],
    ['own/absolute/f', '', ''],
    ['own/theirs', 'own/theirs', 'own/theirs'],
    ['own/world', 'own/world', 'own/world'],
    ['theirs/own/f', 'theirs', 'theirs'],
    ['theirs/none', 'theirs', 'theirs'],
    ['own/relative/f', 'theirs', 'theirs'],
    ['group/f', 'group', 'group'],
    ['sticky/own/f', 'sticky', ''],
    ['sticky/own/link', 'sticky', ''],
    ['sticky/f', 'sticky', 'sticky'], // A user can give a file of root a second name there.
    ['sticky/none', 'sticky', 'sticky'],
  ];
  for (const [name, ...expected] of cases) assert.deepEqual(looks(name), expected, name);
  assert.deepEqual(foreignStep(`${base}/theirs/own`), { path: `${base}/theirs`, uid: USER, mode: 0o755 });
  assert.equal(foreignStep('/dev/null'), undefined, 'everybody may write to a device');
  assert.throws(() => foreignStep(`${base}/own/circle`), /lead in a circle/);
});
