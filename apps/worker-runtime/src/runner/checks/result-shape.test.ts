import { describe, expect, test } from '@jest/globals';
import { ResultShape, ShapeFault } from './result-shape.js';

const ANSWER = JSON.stringify({
  total: 2,
  items: [
    { id: 1, owner: { name: 'a' }, x: 'y' },
    { id: 2, owner: null },
  ],
});

describe('a shape', () => {
  test.each([
    ['items[*].id', '[1,2]'],
    ['{total: total, names: items[?owner].owner.name}', '{"total":2,"names":["a"]}'],
    ['items[?id > `1`] | [0].{id: id}', '{"id":2}'],
    ['sort_by(items, &id)[-1].id', '2'],
    ['length(items)', '2'],
    ['nothing.here', 'null'],
    ['constructor.constructor', 'null'],
  ])('%s takes what it names out of an answer', (expression, shaped) => {
    expect(new ResultShape(expression).apply(ANSWER)).toBe(shaped);
  });

  test.each(['', 'a[', 'a ||', '{a}', '('.repeat(1_000)])('that is no JMESPath is refused: %s', (expression) => {
    expect(() => new ResultShape(expression)).toThrow(ShapeFault);
  });

  test.each([
    '[@,@]|[@,@]|[@,@]|[@,@]',
    'a[*].[@,@,@,@].[@,@,@,@][].[@,@,@,@]',
    'map(&[@,@,@,@], a).{a: [@,@,@,@], b: [@,@,@,@]}',
    'a[*].`[1,2,3,4,5,6,7,8,9]`.[@,@,@,@,@,@,@]',
    'to_string(@)',
    'reverse(@)',
    'join(a, b)',
    'a[?join(a, b)]',
    '{a: {b: to_string(@)}}',
  ])('that could make too much of an answer is refused: %s', (expression) => {
    expect(() => new ResultShape(expression)).toThrow(ShapeFault);
  });

  test.each([
    ['a', 'no JSON'],
    ['abs(items)', ANSWER],
    ['no_such(items)', ANSWER],
    ['[@,@,@]', JSON.stringify('x'.repeat(400_000))],
    ['[?@==@]|'.repeat(100) + 'a', `[${'0,'.repeat(50_000)}0]`],
    ['[?@ == @]', `[${'['.repeat(50_000)}${']'.repeat(50_000)},1]`],
  ])('%s says what is wrong with an answer that it cannot shape', (expression, answer) => {
    expect(() => new ResultShape(expression).apply(answer)).toThrow(ShapeFault);
  });
});
