import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { ROWS, WITHOUT_A_TEST } from './acceptance-rows.js';
import { testNames } from './test-names.js';

const FOLDERS = ['apps', 'libs', 'test'];
const ID = /\b[MO]-\d\d\b/g;

function namedInTests(): Set<string> {
  const files = FOLDERS.flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.test.ts') && !file.includes('node_modules'))
      .map((file) => path.join(folder, file)),
  );
  const texts = files.map((file) => readFileSync(file, 'utf8')).filter((text) => text.search(ID) !== -1);
  return new Set(texts.flatMap(testNames).flatMap((name) => name.match(ID) ?? []));
}

const ALL = Object.entries(ROWS).flatMap(([table, count]) =>
  Array.from({ length: count }, (_, at) => `${table}-${String(at + 1).padStart(2, '0')}`),
);
const tested = namedInTests();

test('every row of the acceptance tables is in the name of a test, or has a reason why not', () => {
  expect(ALL.filter((id) => !tested.has(id) && WITHOUT_A_TEST[id] === undefined)).toEqual([]);
});

test('no row has both a test and a reason for having none', () => {
  expect(Object.keys(WITHOUT_A_TEST).filter((id) => tested.has(id) || !ALL.includes(id))).toEqual([]);
});

test('no test names a row that does not exist', () => {
  expect([...tested].filter((id) => !ALL.includes(id))).toEqual([]);
});

test('only names are looked at: of tests, of groups, and of rows that a name shows', () => {
  const text = `
    const ROWS = [['one', 2, 'three']] as const;
    test('first', () => expect('an id in a check').toBe('another'));
    describe('group', () => { test.each([['shown', 'hidden']])('with %s', () => undefined); });
    test.each(ROWS)('%s, %d and %s', () => undefined);
    // test('in a comment', () => undefined);
    test.skip('skipped', () => undefined);`;
  expect(testNames(text)).toEqual(["'first'", "'group'", "'with %s'", 'shown', "'%s, %d and %s'", 'one', '', 'three']);
});
