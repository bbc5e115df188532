import { describe, expect, test } from '@jest/globals';
import { compareSchemas } from './index.js';

const text = { type: 'string' };
const object = (properties: object, more: object = {}): object => ({ type: 'object', properties, ...more });
const effects = (before: unknown, after: unknown, direction?: 'sent' | 'received'): string[] =>
  compareSchemas(before, after, direction).map(({ pointer, effect }) => `${effect} ${pointer}`);

describe('for who sends', () => {
  test.each<[string, unknown, unknown, string[]]>([
    ['the same', object({ a: text }), object({ a: text }), []],
    ['an optional property added', object({}), object({ a: text }), ['compatible /properties/a']],
    [
      'a required property added',
      object({}),
      object({ a: text }, { required: ['a'] }),
      ['breaking /properties/a', 'breaking /required'],
    ],
    ['a property removed', object({ a: text }), object({}), ['breaking /properties/a']],
    ['a property made optional', object({}, { required: ['a'] }), object({}), ['compatible /required']],
    ['a type narrowed', { type: ['string', 'null'] }, text, ['breaking /type']],
    ['a type widened', text, { type: ['string', 'null'] }, ['compatible /type']],
    ['an integer widened to a number', { type: 'integer' }, { type: 'number' }, ['compatible /type']],
    ['a number narrowed to an integer', { type: 'number' }, { type: 'integer' }, ['breaking /type']],
    ['a type given up', text, {}, ['compatible /type']],
    ['a type introduced', {}, text, ['breaking /type']],
    ['a value taken away', { enum: ['a', 'b'] }, { enum: ['a'] }, ['breaking /enum']],
    ['a value added', { enum: ['a'] }, { enum: ['a', 'b'] }, ['compatible /enum']],
    ['one value only', { enum: ['a', 'b'] }, { const: 'a' }, ['breaking /enum']],
    ['values introduced', text, { ...text, enum: ['a'] }, ['breaking /enum']],
    ['a minimum raised', { minimum: 1 }, { minimum: 2 }, ['breaking /minimum']],
    ['a minimum lowered', { minimum: 2 }, { minimum: 1 }, ['compatible /minimum']],
    ['a length bounded', text, { ...text, maxLength: 5 }, ['breaking /maxLength']],
    ['a bound given up', { ...text, maxLength: 5 }, text, ['compatible /maxLength']],
    ['a pattern introduced', text, { ...text, pattern: '^a' }, ['breaking /pattern']],
    ['a pattern given up', { ...text, pattern: '^a' }, text, ['compatible /pattern']],
    ['a combinator changed', { anyOf: [text] }, { anyOf: [{ type: 'number' }] }, ['breaking /anyOf']],
    [
      'other properties refused',
      object({}),
      object({}, { additionalProperties: false }),
      ['breaking /additionalProperties'],
    ],
    [
      'other properties taken',
      object({}, { additionalProperties: false }),
      object({}),
      ['compatible /additionalProperties'],
    ],
    ['items narrowed', { items: {} }, { items: text }, ['breaking /items/type']],
    ['a description', { description: 'a' }, { description: 'b' }, ['wording /description']],
    ['an extension of ours', { 'x-mcp-header': 'A' }, {}, []],
    ['nothing taken any more', text, false, ['breaking ']],
    ['anything taken', object({ a: text }), object({ a: true }), ['compatible /properties/a/type']],
    ['a nested name with a slash', object({ 'a/b': text }), object({}), ['breaking /properties/a~1b']],
  ])('%s', (_, before, after, expected) => {
    expect(effects(before, after)).toEqual(expected);
  });
});

test('for who receives, a property that is described no more is no loss, unless nothing else may come', () => {
  expect(effects(object({ a: text }), object({}), 'received')).toEqual(['compatible /properties/a']);
  expect(effects(object({ a: text }), object({}, { additionalProperties: false }), 'received')).toEqual([
    'breaking /properties/a',
    'breaking /additionalProperties',
  ]);
});

test('definitions are compared where they are referred to', () => {
  const schema = (a: object) => object({ one: { $ref: '#/$defs/a' } }, { $defs: { a } });
  expect(effects(schema(text), schema({ type: 'number' }))).toEqual([
    'breaking /properties/one/type',
    'compatible /properties/one/type',
  ]);
  expect(effects(schema(text), { ...schema(text), properties: { one: text } })).toEqual([]);
});

test('a schema that contains itself is compared once', () => {
  const tree = (leaf: object) => ({
    $defs: { node: object({ leaf, left: { $ref: '#/$defs/node' }, right: { $ref: '#/$defs/node' } }) },
    $ref: '#/$defs/node',
  });
  expect(effects(tree(text), tree({ ...text, maxLength: 3 }))).toContain('breaking /properties/leaf/maxLength');
  expect(effects(tree(text), tree(text))).toEqual([]);
});

test('what is very deep or very wide ends soon and counts as breaking', () => {
  let [deep, deeper]: [object, object] = [text, { type: 'number' }];
  for (let level = 0; level < 200; level += 1) [deep, deeper] = [object({ a: deep }), object({ a: deeper })];
  expect(effects(deep, deeper)).toEqual([expect.stringMatching(/^breaking (\/properties\/a)+$/)]);
  const wide = (type: string) =>
    object(Object.fromEntries(Array.from({ length: 5_000 }, (_, at) => [`p${at}`, { type }])));
  expect(effects(wide('string'), wide('number'))).toHaveLength(500);
});
