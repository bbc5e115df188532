import { describe, expect, test } from '@jest/globals';
import { AppError } from '#libs/errors';
import { parseJson } from './parse-json.js';

function codeOf(text: string | Buffer, bounds = {}): string {
  try {
    parseJson(Buffer.from(text), bounds);
    return 'parsed';
  } catch (error) {
    return error instanceof AppError ? error.code : String(error);
  }
}

describe('JSON from outside', () => {
  test('is parsed when it is within bounds', () => {
    expect(parseJson(Buffer.from('{"a":[1,{"b":"}}]]\\\\"}]}'))).toEqual({ a: [1, { b: '}}]]\\' }] });
  });

  test.each(['', '{', '{"a":}', 'nul', '[1,]', '"\u0001"'])('is refused as malformed: %j', (text) => {
    expect(codeOf(text)).toBe('malformed_json');
  });

  test('is refused when it is not UTF-8', () => {
    expect(codeOf(Buffer.from([0x22, 0xff, 0x22]))).toBe('malformed_json');
  });

  test('is refused with a byte order mark, as the worker that reads it next would refuse it', () => {
    expect(codeOf('\ufeff{}')).toBe('malformed_json');
  });

  test('is refused at depth 100,000 without being parsed', () => {
    expect(codeOf('['.repeat(100_000))).toBe('invalid_request');
  });

  test('is refused with a million members', () => {
    expect(codeOf(`[${'0,'.repeat(1_000_000)}0]`)).toBe('invalid_request');
  });

  test.each([
    '{"a":1,"a":1}',
    '{"params":{"name":"x","name":"y"}}',
    '{"params":{"arguments":{"deep":[{"to":"me","t\\u006f":"you"}]}}}',
    '{"__proto__":1,"__proto__":2}',
  ])('is refused when a name stands twice in one object: %s', (text) => {
    expect(codeOf(text, { names: 'distinct' })).toBe('invalid_request');
  });

  test('may have the same name in two objects', () => {
    expect(codeOf('{"a":{"a":[1,2,{}]},"b":{"a":[],"__proto__":{}}}', { names: 'distinct' })).toBe('parsed');
  });

  test('counts no brackets or commas inside strings', () => {
    expect(codeOf(JSON.stringify({ text: '[[[[,,,,\\"{{{{' }), { depthMax: 1, keysMax: 1 })).toBe('parsed');
  });
});
