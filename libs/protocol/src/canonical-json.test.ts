import { expect, test } from '@jest/globals';
import { canonicalJson } from './canonical-json.js';

/** RFC 8785, section 3.2.3: its own example of the order of names, by UTF-16 code units. */
const RFC_NAMES = ['\r', '1', '\u0080', 'ö', '€', '\ud83d\ude00', '\ufb33'];

test('names stand by their code units, as in the example of RFC 8785', () => {
  const value = Object.fromEntries(RFC_NAMES.toReversed().map((name) => [name, name.length]));
  expect(canonicalJson(value)).toBe(`{${RFC_NAMES.map((name) => `${JSON.stringify(name)}:${name.length}`).join(',')}}`);
});

test.each([1, 2, 23, 24, 25, 100])('%i names stand in the same order, however they came', (count) => {
  const names = Array.from({ length: count }, (_, at) => `${at % 3 === 0 ? 'Z' : 'a'}${'b'.repeat(at % 5)}${at}`);
  const inOrder = `{${names
    .toSorted()
    .map((name) => `${JSON.stringify(name)}:true`)
    .join(',')}}`;
  for (const shift of [0, 1, Math.floor(count / 2)]) {
    const turned = [...names.slice(shift), ...names.slice(0, shift)];
    expect(canonicalJson(Object.fromEntries(turned.map((name) => [name, true])))).toBe(inOrder);
    expect(canonicalJson(Object.fromEntries(turned.toReversed().map((name) => [name, true])))).toBe(inOrder);
  }
});

test('names that need escapes are escaped each time, also once they are known', () => {
  for (let time = 0; time < 2; time += 1)
    expect(canonicalJson({ 'a "quoted" name\n': 1, ['n'.repeat(100)]: 2 })).toBe(
      `{"a \\"quoted\\" name\\n":1,"${'n'.repeat(100)}":2}`,
    );
});

test('what is undefined is left out of objects and null in arrays', () => {
  expect(canonicalJson({ b: undefined, a: [undefined, null, 'x'], c: { d: undefined } })).toBe(
    '{"a":[null,null,"x"],"c":{}}',
  );
  expect(canonicalJson({ first: undefined, second: 1 })).toBe('{"second":1}');
});

test('names are written right also where there are more than are remembered', () => {
  for (let time = 0; time < 2; time += 1)
    for (let at = 0; at < 2_000; at += 1)
      expect(canonicalJson({ [`name "${at}"`]: at })).toBe(`{"name \\"${at}\\"":${at}}`);
});
