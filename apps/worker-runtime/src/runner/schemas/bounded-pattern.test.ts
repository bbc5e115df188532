import { expect, test } from '@jest/globals';
import { boundedPattern, placesOf } from './bounded-pattern.js';
import { CheckBudget, CheckLimit } from './check-budget.js';
import { compileSchema } from './schema-engine.js';

/** Whether a value is as a schema says. */
function fits(schema: Readonly<Record<string, unknown>>): (value: unknown) => boolean {
  const check = compileSchema(schema, { formats: 'checked' });
  return (value) => check(value).length === 0;
}

function patternOf(pattern: string) {
  return boundedPattern(pattern, new CheckBudget());
}

/** What JavaScript's own engine needs minutes or years for. */
const LONG = `${'a'.repeat(50_000)}!`;

test.each(['^(a+)+$', '^(a|a)*$', '^(a|aa)+$', '^(\\w+\\s?)*$', 'a*a*a*b', '(a{1,20}){1,20}b', '^a+a+a+$'])(
  '%s is answered for fifty thousand letters',
  (pattern) => {
    const schema = { type: 'object', properties: { text: { type: 'string', pattern } } };
    const check = fits(schema);
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
  expect(patternOf(pattern).test(fitting)).toBe(true);
  if (other !== undefined) expect(patternOf(pattern).test(other)).toBe(false);
});

test.each(['^(?=.*[A-Z]).+$', '(a)\\1', '(?<!a)b', '(a{1,50}){1,50}b'])(
  '%s cannot be bounded and is left to the upstream',
  (pattern) => {
    expect(patternOf(pattern).test('')).toBe(true);
  },
);

test('what is no regular expression is refused', () => {
  expect(() => patternOf('(')).toThrow(SyntaxError);
});

test('two patterns of one schema are told apart', () => {
  const properties = { a: { pattern: '^(a|b)$' }, b: { pattern: '^(c|d)$' } };
  const check = fits({ type: 'object', properties });
  expect([check({ a: 'a', b: 'c' }), check({ a: 'c', b: 'c' }), check({ a: 'a', b: 'a' })]).toEqual([
    true,
    false,
    false,
  ]);
});

test('names that a pattern is for are found in bounded time too', () => {
  const schema = { type: 'object', patternProperties: { '^(a+)+$': false } };
  const check = fits(schema);
  expect([check({ [LONG]: 1 }), check({ aa: 1 })]).toEqual([true, false]);
});

test('a long list is looked through once for what it holds twice', () => {
  const check = fits({ properties: { list: { uniqueItems: true } } });
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

const HEAVY = '^(?:[ab]|[a-c]{1,100}x|[a-d]{1,100}y|[a-e]{1,100}z)*[A-Z]$';

test.each([
  ['a text', { properties: { text: { pattern: HEAVY } } }, { text: 'a'.repeat(2_000_000) }],
  ['a name', { patternProperties: { [HEAVY]: false } }, { ['a'.repeat(2_000_000)]: 1 }],
  ['many texts', { items: { pattern: '^(?:.{1,500}){1,2}$' } }, Array(200).fill('a'.repeat(10_000))],
  ['an address', { properties: { at: { format: 'url' } } }, { at: `http://[::${'1:'.repeat(500_000)}` }],
  ['a pattern', { items: { format: 'regex' } }, ['('.repeat(2_000_000)]],
  ['a plain pattern that goes back', { pattern: '^a*a{999}b$' }, 'a'.repeat(2_000_000)],
  [
    'lists in lists',
    { $ref: '#/$defs/list', $defs: { list: { uniqueItems: true, items: { $ref: '#/$defs/list' } } } },
    nested(40),
  ],
])('%s is not looked at for longer than a moment', (_, schema, value) => {
  const check = compileSchema(schema, { formats: 'checked' });
  expect(() => check(value)).toThrow(CheckLimit);
  expect(check({})).toEqual([]);
});

function nested(depth: number): unknown {
  return depth === 0 ? 'a'.repeat(2_000_000) : [nested(depth - 1)];
}

test.each([
  ['^[A-Za-z0-9+/=]*$', 4_000_000],
  ['^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$', 1_500_000],
  ['^[^@\\s]+@[^@\\s]+\\.[a-z]{2,}$', 100_000],
])('%s is held against what it is usually for', (pattern, characters) => {
  expect(() => patternOf(pattern).test('A'.repeat(characters))).not.toThrow();
});

test('the places of a pattern grow with its repetitions', () => {
  expect(placesOf('(\\w{1,900})[0-9]$')).toBeGreaterThan(1_000);
  expect(placesOf('^[a-z]*$')).toBeLessThan(5);
});

test('what has a format is held against it as ever', () => {
  const check = fits({
    items: {
      anyOf: [
        { format: 'url', minLength: 8 },
        { format: 'regex', maxLength: 3 },
      ],
    },
  });
  expect([check(['https://a.example/b?c=d', '^a$']), check(['a.example/b']), check(['('])]).toEqual([
    true,
    false,
    false,
  ]);
});
