import { describe, expect, test } from '@jest/globals';
import { documentOf, importDocument, jsonBody, operation } from '../openapi/openapi.fixture.js';
import { toolOf } from './operations.fixture.js';

describe('a JSON body', () => {
  test('gives each property an argument and leaves out what only the upstream writes', async () => {
    const Base = {
      type: 'object',
      required: ['id', 'name'],
      properties: { id: { $ref: '#/components/schemas/Id' }, name: { type: 'string' } },
    };
    const components = { schemas: { Base, Id: { type: 'integer', readOnly: true } } };
    const { inputSchema, http } = await toolOf(jsonBody({ $ref: '#/components/schemas/Base' }), { components });
    expect(inputSchema).toEqual({
      type: 'object',
      properties: { name: { type: 'string' } },
      required: ['name'],
      additionalProperties: false,
    });
    expect(http).toMatchObject({ bodyType: 'json', placements: [{ argument: 'name', in: 'body', name: 'name' }] });
  });

  test.each([
    ['a list', { type: 'array', items: { type: 'string' } }],
    ['alternatives', { oneOf: [{ type: 'object', properties: { a: { type: 'string' } } }, { type: 'string' }] }],
    ['a free map', { type: 'object', additionalProperties: { type: 'string' } }],
  ])('that is %s is one argument', async (_, schema) => {
    const { inputSchema, http } = await toolOf(jsonBody(schema));
    expect(inputSchema).toEqual({
      type: 'object',
      properties: { body: schema },
      required: ['body'],
      additionalProperties: false,
    });
    expect(http).toMatchObject({ bodyType: 'json', placements: [{ argument: 'body', in: 'body', name: '' }] });
  });

  test('that may be left out requires none of its properties', async () => {
    const { inputSchema } = await toolOf(
      jsonBody({ type: 'object', required: ['a'], properties: { a: { type: 'string' } } }, false),
    );
    expect(inputSchema).not.toHaveProperty('required');
  });

  test('whose properties are called like parameters gets other argument names', async () => {
    const parameters = [
      { name: 'id', in: 'path', required: true, schema: { type: 'string' } },
      { name: 'id', in: 'query', schema: { type: 'string' } },
    ];
    const { http } = await toolOf(
      { parameters, ...jsonBody({ type: 'object', properties: { id: { type: 'integer' } } }) },
      { path: '/a/{id}' },
    );
    expect(http.placements).toEqual([
      { argument: 'id', in: 'path', name: 'id' },
      { argument: 'query_id', in: 'query', name: 'id' },
      { argument: 'body_id', in: 'body', name: 'id' },
    ]);
  });
});

describe('other bodies', () => {
  const body = (type: string, schema: object, required = true) => ({
    requestBody: { required, content: { [type]: { schema } } },
  });

  test('are forms and text', async () => {
    const form = await toolOf(
      body('application/x-www-form-urlencoded', { type: 'object', properties: { a: { type: 'string' } } }),
    );
    expect(form.http).toMatchObject({ bodyType: 'form', placements: [{ argument: 'a', in: 'body', name: 'a' }] });
    const text = await toolOf(body('text/plain', { type: 'string' }));
    expect(text.http).toMatchObject({ bodyType: 'text', placements: [{ argument: 'body', in: 'body', name: '' }] });
  });

  test.each(['application/octet-stream', 'application/xml'])(
    'of %s leave their operation out, with the reason',
    async (type) => {
      const paths = {
        '/a': {
          post: operation({ operationId: 'upload', ...body(type, { type: 'object' }) }),
          get: operation({ operationId: 'read' }),
        },
      };
      const { manifest, report } = await importDocument(documentOf(paths));
      expect(manifest.tools.map((tool) => tool.name)).toEqual(['read']);
      expect(report.skipped).toEqual([
        { pointer: '/paths/~1a/post/requestBody', operation: 'POST /a', reason: expect.stringContaining(type) },
      ]);
    },
  );
});

describe('forms', () => {
  const form = (type: string, media: object) => ({ requestBody: { required: true, content: { [type]: media } } });

  test('have the styles that their encoding names', async () => {
    const list = { type: 'array', items: { type: 'string' } };
    const map = { type: 'object', additionalProperties: { type: 'string' } };
    const { http } = await toolOf(
      form('application/x-www-form-urlencoded', {
        schema: { type: 'object', properties: { a: list, b: list, c: map, d: map } },
        encoding: { b: { style: 'form', explode: false }, c: { style: 'deepObject', explode: true } },
      }),
    );
    expect(http.placements.map(({ name, style }) => [name, style])).toEqual([
      ['a', undefined],
      ['b', 'comma'],
      ['c', 'deep'],
      ['d', undefined],
    ]);
  });

  test.each([
    ['3.0.3', { type: 'string', format: 'binary', description: 'The picture.' }],
    ['3.1.0', { contentMediaType: 'image/png', description: 'The picture.' }],
  ])('of several parts take files as base64, in %s', async (openapi, file) => {
    const { http, inputSchema } = await toolOf(
      form('multipart/form-data', {
        schema: {
          type: 'object',
          required: ['file'],
          properties: {
            file,
            more: { type: 'array', items: file },
            note: { type: 'string' },
            data: { type: 'object' },
          },
        },
        encoding: { file: { contentType: 'image/png, image/jpeg' }, data: { contentType: 'application/vnd.a+json' } },
      }),
      { openapi },
    );
    expect(http).toMatchObject({ bodyType: 'multipart' });
    expect(http.placements.map(({ name, part }) => [name, part])).toEqual([
      ['file', { type: 'image/png', file: true }],
      ['more', { file: true }],
      ['note', undefined],
      ['data', { type: 'application/vnd.a+json' }],
    ]);
    const given = { type: 'object', required: ['data'], description: 'The picture.', additionalProperties: false };
    expect(inputSchema).toMatchObject({
      required: ['file'],
      properties: { file: given, more: { type: 'array', items: given }, note: { type: 'string' } },
    });
  });

  test('without fixed fields leave their operation out', async () => {
    const paths = {
      '/a': {
        post: operation(form('multipart/form-data', { schema: { type: 'object' } })),
        get: operation({ operationId: 'read' }),
      },
    };
    const { report } = await importDocument(documentOf(paths));
    expect(report.skipped).toEqual([
      {
        pointer: '/paths/~1a/post/requestBody/content/multipart~1form-data/schema',
        operation: 'POST /a',
        reason: 'Its form has no fixed fields.',
      },
    ]);
  });
});

describe('parameters', () => {
  test('stand in the request as their style says', async () => {
    const list = { type: 'array', items: { type: 'string' } };
    const parameters = [
      { name: 'repeated', in: 'query', schema: list },
      { name: 'comma', in: 'query', explode: false, schema: list },
      { name: 'space', in: 'query', style: 'spaceDelimited', explode: false, schema: list },
      { name: 'pipe', in: 'query', style: 'pipeDelimited', explode: false, schema: list },
      {
        name: 'filter[deep]',
        in: 'query',
        style: 'deepObject',
        schema: { type: 'object', properties: { a: { type: 'string' } } },
      },
      { name: 'exploded', in: 'query', schema: { type: 'object', properties: { a: { type: 'string' } } } },
      { name: 'flat', in: 'query', explode: false, schema: { type: 'object' } },
      { name: 'media', in: 'query', content: { 'application/json': { schema: { type: 'string' } } } },
      { name: 'X-Head', in: 'header', description: 'A head.', schema: { type: 'string' } },
      { name: 'Authorization', in: 'header', schema: { type: 'string' } },
    ];
    const { http, inputSchema } = await toolOf({ parameters }, { method: 'get' });
    expect(http.placements).toEqual([
      { argument: 'repeated', in: 'query', name: 'repeated' },
      { argument: 'comma', in: 'query', name: 'comma', style: 'comma' },
      { argument: 'space', in: 'query', name: 'space', style: 'space' },
      { argument: 'pipe', in: 'query', name: 'pipe', style: 'pipe' },
      { argument: 'filter_deep', in: 'query', name: 'filter[deep]', style: 'deep' },
      { argument: 'exploded', in: 'query', name: 'exploded', style: 'exploded' },
      { argument: 'flat', in: 'query', name: 'flat', style: 'comma' },
      { argument: 'media', in: 'query', name: 'media', style: 'json' },
      { argument: 'X-Head', in: 'header', name: 'X-Head' },
    ]);
    expect(inputSchema['properties']).toMatchObject({ 'X-Head': { type: 'string', description: 'A head.' } });
  });

  test('of an operation replace those of its path', async () => {
    const path = {
      parameters: [
        { name: 'q', in: 'query', schema: { type: 'string' } },
        { name: 'r', in: 'query', schema: { type: 'string' } },
      ],
    };
    const paths = {
      '/a': {
        ...path,
        get: operation({
          operationId: 'a',
          parameters: [{ name: 'q', in: 'query', required: true, schema: { type: 'integer' } }],
        }),
      },
    };
    const { tool } = await importDocument(documentOf(paths));
    expect(tool('a').inputSchema).toEqual({
      type: 'object',
      properties: { q: { type: 'integer' }, r: { type: 'string' } },
      required: ['q'],
      additionalProperties: false,
    });
  });

  test.each([
    ['text by media type', { name: 'c', in: 'query', content: { 'text/plain': { schema: { type: 'string' } } } }],
    ['lists in cookies', { name: 'sid', in: 'cookie', schema: { type: 'array', items: {} } }],
    ['no names of cookies', { name: 'a b', in: 'cookie', schema: { type: 'string' } }],
    [
      'objects without a form',
      { name: 'o', in: 'query', style: 'pipeDelimited', explode: true, schema: { type: 'object' } },
    ],
    ['connection headers', { name: 'Host', in: 'header', schema: { type: 'string' } }],
  ])('that are %s are left out, and take their operation with them when they are required', async (_, parameter) => {
    const paths = {
      '/a': {
        get: operation({ operationId: 'a', parameters: [parameter] }),
        put: operation({ operationId: 'b', parameters: [{ ...parameter, required: true }] }),
      },
    };
    const { manifest, report } = await importDocument(documentOf(paths));
    expect(manifest.tools.map((tool) => [tool.name, tool.http.placements])).toEqual([['a', []]]);
    expect(report.skipped.map((skipped) => [skipped.operation, skipped.pointer])).toEqual([
      ['GET /a', '/paths/~1a/get/parameters/0'],
      ['PUT /a', '/paths/~1a/put/parameters/0'],
    ]);
  });
});
