import { describe, expect, test } from '@jest/globals';
import { documentOf, importDocument, jsonBody, operation } from '../openapi/openapi.fixture.js';
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
  test('is bounded and holds no character that a person cannot see', async () => {
    const { description, title, inputSchema } = await toolOf({
      summary: 'Do\u200b it',
      description: `Well.\u202e${'x'.repeat(10_000)}\u{e0041}`,
      parameters: [{ name: 'q', in: 'query', description: 'q\u2060q', schema: { type: 'string' } }],
    });
    expect(title).toBe('Do it');
    expect(description.length).toBeLessThan(4_300);
    expect(description + JSON.stringify(inputSchema)).not.toMatch(/[\u200b\u202e\u2060\u{e0041}]/u);
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
