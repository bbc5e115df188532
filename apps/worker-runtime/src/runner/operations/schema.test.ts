import { describe, expect, test } from '@jest/globals';
import { jsonBody } from '../openapi/openapi.fixture.js';
import { compileChecks } from '../checks/tool-checks.js';
import { toolOf } from './operations.fixture.js';

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
      { type: 'string', example: 'x', xml: { name: 'y' }, 'x-internal': 'Z', discriminator: { propertyName: 'p' } },
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
