import { expect, test } from '@jest/globals';
import { boundedPattern } from './bounded-pattern.js';
import { compileSchema } from './schema-engine.js';

/** What JavaScript's own engine needs minutes or years for. */
const LONG = `${'a'.repeat(50_000)}!`;

test.each(['^(a+)+$', '^(a|a)*$', '^(a|aa)+$', '^(\\w+\\s?)*$', 'a*a*a*b', '(a{1,20}){1,20}b', '^a+a+a+$'])(
  '%s is answered for fifty thousand letters',
  (pattern) => {
    const schema = { type: 'object', properties: { text: { type: 'string', pattern } } };
    const check = compileSchema(schema, { formats: 'checked' });
    expect(check({ text: LONG })).toBe(false);
  },
);

test.each([
  ['^[a-z0-9-]+$', 'a-1', 'A'],
  ['^\\d{4}-\\d{2}$', '2026-11', '26-11'],
  ['\\u0041', 'cAt', 'cat'],
  ['^\\/v1\\/[\\w-]+$', '/v1/x', '/v2/x'],
  ['(?<year>\\d{4})', 'in 2026', 'in 26'],
  ['^(?:a|b)+$', 'abba', 'abc'],
  ['\\p{Lu}', 'Éa', 'éa'],
  ['^\\S+@\\S+\\.\\S+$', 'a@b.c', 'a b'],
  ['^(GET|POST)$', 'GET', 'GETS'],
  ['^☃+$', '☃☃', 'x'],
  ['', '', undefined],
])('%s means what it means in ECMA-262', (pattern, fitting, other) => {
  expect(boundedPattern(pattern).test(fitting)).toBe(true);
  if (other !== undefined) expect(boundedPattern(pattern).test(other)).toBe(false);
});

test.each(['^(?=.*[A-Z]).+$', '(a)\\1', '(?<!a)b', '(a{1,50}){1,50}b'])(
  '%s cannot be bounded and is left to the upstream',
  (pattern) => {
    expect(boundedPattern(pattern).test('')).toBe(true);
  },
);

test('what is no regular expression is refused', () => {
  expect(() => boundedPattern('(')).toThrow(SyntaxError);
});

test('two patterns of one schema are told apart', () => {
  const properties = { a: { pattern: '^(a|b)$' }, b: { pattern: '^(c|d)$' } };
  const check = compileSchema({ type: 'object', properties }, { formats: 'checked' });
  expect([check({ a: 'a', b: 'c' }), check({ a: 'c', b: 'c' }), check({ a: 'a', b: 'a' })]).toEqual([
    true,
    false,
    false,
  ]);
});

test('names that a pattern is for are found in bounded time too', () => {
  const schema = { type: 'object', patternProperties: { '^(a+)+$': false } };
  const check = compileSchema(schema, { formats: 'checked' });
  expect([check({ [LONG]: 1 }), check({ aa: 1 })]).toEqual([true, false]);
});

test('a long list is looked through once for what it holds twice', () => {
  const check = compileSchema({ properties: { list: { uniqueItems: true } } }, { formats: 'checked' });
  const list = Array.from({ length: 120_000 }, (_, at): unknown[] => [at]);
  expect([check({ list }), check({ list: [...list, [7]] })]).toEqual([true, false]);
  expect([
    check({
      list: [
        { a: 1, b: 2 },
        { b: 2, a: 1 },
      ],
    }),
    check({ list: [1, '1', true, null] }),
  ]).toEqual([false, true]);
});
