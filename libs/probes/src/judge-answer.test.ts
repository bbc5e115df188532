import { describe, expect, test } from '@jest/globals';
import { expectationSchema } from './expectation.js';
import { judgeAnswer } from './judge-answer.js';

const RESULT = {
  content: [{ type: 'text', text: 'three books' }],
  structuredContent: { total: 3, books: [{ id: 1, title: 'A' }, { id: 2 }], 'a/b': null },
};
const reasons = (expected: object, given: unknown = RESULT, latencyMs = 5): readonly string[] =>
  judgeAnswer(expectationSchema.parse(expected), given, latencyMs).reasons;

describe('an answer is as expected', () => {
  test.each<[string, object]>([
    ['where nothing is said', {}],
    ['by a part of an object', { contains: { structuredContent: { total: 3 } } }],
    ['by every item of a list', { contains: { structuredContent: { books: [{ id: 1 }, { id: 2 }] } } }],
    ['by values at pointers', { values: { '/structuredContent/books/0/id': 1, '/structuredContent/a~1b': null } }],
    ['by a part of a text', { text: 'books' }],
    ['by its time', { latency_ms_max: 5 }],
  ])('%s', (_, expected) => {
    expect(reasons(expected)).toEqual([]);
  });
});

describe('an answer is not as expected', () => {
  test.each<[string, object, string]>([
    ['where a tool does not fail', { outcome: 'tool_error' }, 'the tool did not fail'],
    [
      'where a member is missing',
      { contains: { structuredContent: { more: 1 } } },
      '/structuredContent/more is missing',
    ],
    [
      'where a list is longer',
      { contains: { structuredContent: { books: [{}] } } },
      '/structuredContent/books is not as expected',
    ],
    ['where a member is inherited', { contains: { toString: {} } }, '/toString is missing'],
    [
      'where nothing stands',
      { values: { '/structuredContent/none': null } },
      '/structuredContent/none is not as expected',
    ],
    ['where a text lacks it', { text: 'four' }, 'no text of the answer holds the expected one'],
    ['where it came late', { latency_ms_max: 4 }, 'the answer took 5 ms and may take 4'],
  ])('%s', (_, expected, reason) => {
    expect(reasons(expected)).toEqual([reason]);
  });

  test('where it is no result, or the tool failed', () => {
    expect(reasons({}, 'x')).toEqual(['the answer is not the result of a tool']);
    expect(reasons({}, { content: [], isError: true })).toEqual(['the tool failed']);
  });
});

test('the same answer has the same digest, whatever its _meta and the order of its members', () => {
  const digest = (given: unknown): string => judgeAnswer(expectationSchema.parse({}), given, 1).digest;
  expect(digest({ ...RESULT, _meta: { at: 1 } })).toBe(digest(RESULT));
  expect(digest({ structuredContent: RESULT.structuredContent, content: RESULT.content })).toBe(digest(RESULT));
  expect(digest({ ...RESULT, isError: true })).not.toBe(digest(RESULT));
});
