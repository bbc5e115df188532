import { describe, expect, test } from '@jest/globals';
import { documentOf, jsonBody, operation, problemsOf } from '../openapi/openapi.fixture.js';
import { scanParameterHeaders } from '../tools/parameter-headers.js';
import { toolOf } from './operations.fixture.js';

const PARAMETER = '/paths/~1a/post/parameters/0/schema/x-mcp-header';
const query = (schema: object): object => ({ parameters: [{ name: 'region', in: 'query', schema }] });

describe('an argument that an OpenAPI document mirrors in a header', () => {
  test.each([
    ['a parameter', query({ type: 'string', 'x-mcp-header': 'Region' })],
    [
      'a property of the body',
      jsonBody({ type: 'object', properties: { region: { type: 'string', 'x-mcp-header': 'Region' } } }),
    ],
    ['a schema that is referred to', query({ $ref: '#/components/schemas/Region' })],
  ])('is mirrored as %s', async (_, node) => {
    const components = { schemas: { Region: { type: 'string', 'x-mcp-header': 'Region' } } };
    const { inputSchema } = await toolOf(node, { components });
    expect(scanParameterHeaders(inputSchema)).toMatchObject({
      declarations: [{ path: ['region'], header: 'mcp-param-region' }],
      faults: [],
    });
  });

  test.each([
    ['on a number', query({ type: 'number', 'x-mcp-header': 'Region' }), PARAMETER, 'string, integer or boolean'],
    ['that is no token', query({ type: 'string', 'x-mcp-header': 'A B' }), PARAMETER, 'a header token'],
    ['that is no text', query({ type: 'string', 'x-mcp-header': { a: [] } }), PARAMETER, 'a header token'],
    [
      'of a list’s items',
      query({ type: 'array', items: { type: 'string', 'x-mcp-header': 'Region' } }),
      '/paths/~1a/post/parameters/0/schema/items/x-mcp-header',
      'reached through "properties" alone',
    ],
    [
      'that another has',
      jsonBody({
        type: 'object',
        properties: { a: { type: 'string', 'x-mcp-header': 'R' }, 'b/c': { type: 'string', 'x-mcp-header': 'r' } },
      }),
      '/paths/~1a/post/requestBody/content/application~1json/schema/properties/b~1c/x-mcp-header',
      'is used twice',
    ],
  ])('is refused %s, with its place', async (_, node, pointer, message) => {
    expect(await problemsOf(documentOf({ '/a': { post: operation(node) } }))).toEqual([
      { pointer, message: expect.stringContaining(message) },
    ]);
  });

  test('is nothing in an answer', async () => {
    const schema = { type: 'object', properties: { a: { type: 'number', 'x-mcp-header': 'A B' } } };
    const responses = { 200: { description: 'Done.', content: { 'application/json': { schema } } } };
    expect(JSON.stringify(await toolOf({ responses }))).not.toContain('x-mcp-header');
  });
});
