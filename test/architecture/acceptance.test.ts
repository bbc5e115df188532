import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { ROWS, WITHOUT_A_TEST } from './acceptance-rows.js';

const FOLDERS = ['apps', 'libs', 'test'];
/** An id within a string: comments name no test. */
const NAMED = /(['"`])(?:(?!\1).)*?\b[MO]-\d\d\b(?:(?!\1).)*\1/g;

function namedInTests(): Set<string> {
  const files = FOLDERS.flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.test.ts') && !file.includes('node_modules'))
      .map((file) => path.join(folder, file)),
  );
  const texts = files.flatMap((file) => [...readFileSync(file, 'utf8').matchAll(NAMED)].map(([text]) => text));
  return new Set(texts.flatMap((text) => text.match(/\b[MO]-\d\d\b/g) ?? []));
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
