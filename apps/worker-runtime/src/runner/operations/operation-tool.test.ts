import { describe, expect, test } from '@jest/globals';
import { documentOf, importDocument, jsonBody, operation, problemsOf } from '../openapi/openapi.fixture.js';
import { toolOf } from './operations.fixture.js';

describe('a result', () => {
  const answering = (schema: object, type = 'application/json') => ({
    responses: { 200: { description: 'x', content: { [type]: { schema } } }, 404: { description: 'y' } },
  });

  test('that is one JSON object is promised by its shape, without limits that upstreams break', async () => {
    const schema = {
      type: 'object',
      required: ['a'],
      additionalProperties: false,
      properties: { a: { type: 'string', maxLength: 3, nullable: true } },
    };
    const { outputSchema } = await toolOf(answering(schema));
    expect(outputSchema).toEqual({ type: 'object', properties: { a: { type: ['string', 'null'] } } });
  });

  test.each([
    ['a list', answering({ type: 'array', items: {} })],
    ['text', answering({ type: 'object' }, 'text/plain')],
    [
      'large',
      answering({
        type: 'object',
        properties: Object.fromEntries(Array.from({ length: 500 }, (_, n) => [`property${n}`, { type: 'string' }])),
      }),
    ],
    ['one of several', { responses: { ...answering({ type: 'object' }).responses, 202: { description: 'later' } } }],
  ])('that is %s is not promised', async (_, node) => {
    expect(await toolOf(node)).not.toHaveProperty('outputSchema');
  });
});

describe('what agents read', () => {
  test('is bounded', async () => {
    const { description, title } = await toolOf({ summary: ' Do it ', description: `Well.${'x'.repeat(10_000)}` });
    expect(title).toBe('Do it');
    expect(description.length).toBeLessThan(4_300);
  });

  test('is refused where it holds a character that a person cannot see, with its place', async () => {
    const text = { type: 'string', title: 'T\u2066' };
    const answer = { type: 'object', properties: { a: { type: 'string', description: 'A\ufeff' } } };
    const node = {
      summary: 'Do\u200b it',
      description: `Well.\u202e${'x'.repeat(10_000)}`,
      parameters: [{ name: 'q', in: 'query', description: 'q\u{e0041}q', schema: text }],
      responses: {
        200: { description: 'no agent reads\u200b this', content: { 'application/json': { schema: answer } } },
      },
    };
    const info = { title: 'Shop\u2060', version: '1' };
    const problems = await problemsOf(documentOf({ '/a': { post: node, get: operation() } }, { info }));
    const hidden = (code: string): string =>
      `This holds the invisible character ${code}, which could hide instructions. Remove it.`;
    expect(Object.fromEntries(problems.map(({ pointer, message }) => [pointer, message]))).toEqual({
      '/info/title': hidden('U+2060'),
      '/paths/~1a/post/summary': hidden('U+200B'),
      '/paths/~1a/post/description': hidden('U+202E'),
      '/paths/~1a/post/parameters/0/description': hidden('U+E0041'),
      '/paths/~1a/post/parameters/0/schema/title': hidden('U+2066'),
      '/paths/~1a/post/responses/200/content/application~1json/schema/properties/a/description': hidden('U+FEFF'),
    });
  });

  test('never comes from names and values with hidden characters: their operation is left out', async () => {
    const paths = {
      '/a': {
        post: operation({
          operationId: 'a',
          ...jsonBody({ type: 'object', properties: { name: { enum: ['a\u200b'] } } }),
        }),
        get: operation({ operationId: 'b' }),
      },
    };
    const { report } = await importDocument(documentOf(paths));
    expect(report.skipped).toEqual([
      { pointer: '/paths/~1a/post', operation: 'POST /a', reason: expect.stringContaining('U+200B') },
    ]);
  });
});
