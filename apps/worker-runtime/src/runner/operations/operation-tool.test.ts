import { describe, expect, test } from '@jest/globals';
import { documentOf, importDocument, jsonBody, operation } from '../openapi/openapi.fixture.js';
import { compileChecks } from '../tools/tool-checks.js';

/** The tool of one operation, with the components it refers to. */
async function toolOf(
  node: object,
  { method = 'post', path = '/a', ...rest }: { method?: string; path?: string } & Record<string, unknown> = {},
) {
  const { tool, report } = await importDocument(
    documentOf({ [path]: { [method]: operation({ operationId: 'tool', ...node }) } }, rest),
  );
  const found = tool('tool');
  compileChecks(found.name, found);
  return { ...found, report };
}

/** The converted schema of one property of a JSON body. */
async function convert(schema: object, rest: object = {}): Promise<unknown> {
  const { inputSchema } = await toolOf(jsonBody({ type: 'object', properties: { value: schema } }), { ...rest });
  return (inputSchema['properties'] as Record<string, unknown>)['value']; // the importer writes an object here
}

describe('a schema of OpenAPI 3.0', () => {
  test.each([
    [{ type: 'string', nullable: true }, { type: ['string', 'null'] }],
    [
      { type: 'string', nullable: true, enum: ['a'] },
      { type: ['string', 'null'], enum: ['a', null] },
    ],
    [{ nullable: true, allOf: [{ type: 'string' }] }, { anyOf: [{ allOf: [{ type: 'string' }] }, { type: 'null' }] }],
    [
      { type: 'number', minimum: 1, exclusiveMinimum: true },
      { type: 'number', exclusiveMinimum: 1 },
    ],
    [
      { type: 'number', maximum: 9, exclusiveMaximum: false },
      { type: 'number', maximum: 9 },
    ],
    [
      { type: 'string', example: 'x', xml: { name: 'y' }, 'x-mcp-header': 'Z', discriminator: { propertyName: 'p' } },
      { type: 'string', examples: ['x'] },
    ],
    [
      { type: 'array', items: { type: 'string', format: 'date-time' }, maxItems: 3 },
      { type: 'array', items: { type: 'string', format: 'date-time' }, maxItems: 3 },
    ],
    [
      { type: 'object', additionalProperties: { type: 'integer', nullable: true } },
      { type: 'object', additionalProperties: { type: ['integer', 'null'] } },
    ],
  ])('%j becomes JSON Schema 2020-12', async (schema, expected) => {
    expect(await convert(schema)).toEqual(expected);
  });
});

describe('a reference', () => {
  test('is replaced by what it stands for, with the description beside it', async () => {
    const components = {
      schemas: {
        Kind: { $ref: '#/components/schemas/Real' },
        Real: { type: 'string', description: 'real', enum: ['a'] },
      },
    };
    expect(await convert({ $ref: '#/components/schemas/Kind', description: 'beside' }, { components })).toEqual({
      type: 'string',
      enum: ['a'],
      description: 'beside',
    });
  });

  test('that is recursive stays a reference to $defs', async () => {
    const components = {
      schemas: {
        Tree: {
          type: 'object',
          properties: {
            name: { type: 'string' },
            children: { type: 'array', items: { $ref: '#/components/schemas/Tree' } },
          },
        },
      },
    };
    const { inputSchema, name, ...tool } = await toolOf(
      jsonBody({ type: 'object', properties: { tree: { $ref: '#/components/schemas/Tree' } } }),
      { components },
    );
    expect(inputSchema['$defs']).toEqual({
      Tree: {
        type: 'object',
        properties: { name: { type: 'string' }, children: { type: 'array', items: { $ref: '#/$defs/Tree' } } },
      },
    });
    const checks = compileChecks(name, { ...tool, name, inputSchema });
    expect(checks.arguments.explainFault({ tree: { children: [{ name: 'a' }] } })).toBeUndefined();
    expect(checks.arguments.explainFault({ tree: { children: [{ name: 1 }] } })).toContain(
      '/tree/children/0/name: expected string',
    );
  });

  test('that is used so often that it would become too large is kept once', async () => {
    const words = Object.fromEntries(
      Array.from({ length: 100 }, (_, index) => [`word${index}`, { type: 'string', description: 'x'.repeat(50) }]),
    );
    const uses = Object.fromEntries(
      Array.from({ length: 20 }, (_, index) => [`use${index}`, { $ref: '#/components/schemas/Words' }]),
    );
    const { inputSchema } = await toolOf(jsonBody({ type: 'object', properties: uses }), {
      components: { schemas: { Words: { type: 'object', properties: words } } },
    });
    expect(inputSchema['properties']).toMatchObject({
      use0: { $ref: '#/$defs/Words' },
      use19: { $ref: '#/$defs/Words' },
    });
    expect(Object.keys(inputSchema['$defs'] as object)).toEqual(['Words']); // the importer writes an object here
  });
});

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

  test.each(['multipart/form-data', 'application/octet-stream', 'application/xml'])(
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
    ['cookies', { name: 'sid', in: 'cookie', schema: { type: 'string' } }],
    [
      'objects without a form',
      { name: 'o', in: 'query', schema: { type: 'object', properties: { a: { type: 'string' } } } },
    ],
    ['media types', { name: 'c', in: 'query', content: { 'application/json': { schema: { type: 'string' } } } }],
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
