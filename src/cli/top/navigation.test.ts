import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseKeys } from './keys.ts';
import { begin, cursorIndex, type Navigation, press, rowKey, scrolled } from './navigation.ts';

const groups = [
  ['db', 'postgres'],
  ['web', 'nginx'],
  ['other', 'other'],
].map(([group, subgroup]) => rowKey({ group: group!, subgroup: subgroup! }));
const pids = Array.from({ length: 100 }, (_, index) => String(index + 1));
const orders = { f: 'footprint', c: 'cpu' };

const shownAt = ({ place }: Navigation) => ({ rows: place.view === 'groups' ? groups : pids, page: 10, orders });
const after = (keys: string): Navigation =>
  parseKeys(keys).reduce((state, key) => press(state, key, shownAt(state)), begin('footprint'));

const [DOWN, UP, PAGE, END, HOME, ENTER, ESC, TAB] = [
  '\x1b[B',
  '\x1b[A',
  '\x1b[6~',
  '\x1b[F',
  '\x1b[H',
  '\r',
  '\x1b',
  '\t',
];
const where = ({ place: { view, of, pid, cursor, first } }: Navigation): string =>
  [view, of ? `${of.group}/${of.subgroup}` : '', pid ?? '', cursor, first].join(' ').replace(/ +/g, ' ');

// biome-ignore format: one line a case
const cases: [what: string, keys: string, place: string][] = [
  ['nothing', '', 'groups 0'],
  ['down, and not below the end', `${DOWN}jjj${DOWN}`, `groups ${groups[2]} 0`],
  ['up from the top', UP, `groups ${groups[0]} 0`],
  ['enter opens the subgroup', `${DOWN}${ENTER}`, 'processes web/nginx 0'],
  ['enter again opens the process', `${DOWN}${ENTER}${DOWN}${DOWN}${ENTER}`, 'process 3 0'],
  ['back is where the cursor was', `${DOWN}${ENTER}${DOWN}${ENTER}${ESC}`, 'processes web/nginx 2 0'],
  ['back twice', `${DOWN}${ENTER}${DOWN}${ENTER}${ESC}${ESC}${ESC}`, `groups ${groups[1]} 0`],
  ['all processes', TAB, 'processes 0'],
  ['and back to the groups', `${TAB}${DOWN}${TAB}`, 'groups 0'],
  ['pages scroll', `${TAB}${PAGE}${PAGE}`, 'processes 21 11'],
  ['to the end, and up again', `${TAB}${END}${UP}`, 'processes 99 90'],
  ['to the end and the beginning', `${TAB}${END}${HOME}`, 'processes 1 0'],
  ['help and back', `${DOWN}?h`, `groups ${groups[1]} 0`],
  ['letters of orders do nothing to a process', `${TAB}${ENTER}c/`, 'process 1 0'],
];
for (const [what, keys, place] of cases) test(`keys of top: ${what}`, () => assert.equal(where(after(keys)), place));

test('a letter orders the list that is shown, and once more reverses it', () => {
  assert.deepEqual(after('c').orders.groups, { by: 'cpu', reversed: false });
  assert.deepEqual(after('cc').orders.groups, { by: 'cpu', reversed: true });
  assert.deepEqual(after('ccc').orders.groups, { by: 'cpu', reversed: false });
  assert.deepEqual(after('c').orders.processes, { by: 'footprint', reversed: false });
  assert.deepEqual(after('z').orders, begin('footprint').orders);
});

test('the filter takes letters that are commands elsewhere', () => {
  const typing = after('/quit');
  assert.deepEqual([typing.filter, typing.typing, typing.ended], ['quit', true, false]);
  assert.deepEqual([after(`/qu${ENTER}`).filter, after(`/qu${ENTER}`).typing], ['qu', false]);
  assert.equal(after('/数据\x7f').filter, '数');
  assert.deepEqual([after(`/qu${ESC}`).filter, after(`/qu${ESC}`).typing], ['', false]);
  assert.equal(after(`/qu${ENTER}${ESC}`).filter, '');
  assert.ok(after('/\x03').ended);
  assert.ok(after('q').ended);
});

test('a row that is gone leaves the cursor at the first one', () => {
  assert.equal(cursorIndex({ ...begin('cpu').place, cursor: 'gone' }, pids), 0);
  assert.deepEqual(press(begin('cpu'), { special: 'enter' }, { rows: [], page: 5, orders }), begin('cpu'));
});

test('the row with the cursor is on the screen, and the screen is full', () => {
  fc.assert(
    fc.property(
      fc.nat(1000),
      fc.nat(1000),
      fc.integer({ min: 1, max: 1000 }),
      fc.integer({ min: 1, max: 60 }),
      (first, at, rows, page) => {
        const index = at % rows;
        const from = scrolled(first, index, rows, page);
        assert.ok(from >= 0 && from <= index && index < from + page);
        assert.ok(from + page <= Math.max(rows, page));
      },
    ),
  );
});
