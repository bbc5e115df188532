import { RESOURCES } from './bookshop.js';

type Resource = (typeof RESOURCES)[number];

const ID = { name: 'id', in: 'path', required: true, schema: { type: 'integer' }, description: 'Its id.' };
const LIST_PARAMETERS = [
  { name: 'q', in: 'query', schema: { type: 'string' }, description: 'Full-text search.' },
  { name: '_page', in: 'query', schema: { type: 'integer', minimum: 1 }, description: 'Page, from 1.' },
  {
    name: '_limit',
    in: 'query',
    schema: { type: 'integer', minimum: 1, maximum: 100 },
    description: 'Entries on a page.',
  },
];
const WRITES = [{ shopKey: [] }];

/** An OpenAPI 3.1 document of the sample shop: reading is free, writing needs the shop's key. */
export function bookshopOpenApi(url: string): Record<string, unknown> {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Bookshop',
      version: '1.0.0',
      description: 'A small bookshop: its books, their authors, their reviews.',
    },
    servers: [{ url }],
    paths: Object.assign({}, ...RESOURCES.map(pathsOf)),
    components: {
      securitySchemes: { shopKey: { type: 'http', scheme: 'bearer' } },
      schemas: Object.fromEntries(
        RESOURCES.flatMap((resource) => [
          [resource.one, stored(resource)],
          [`New${resource.one}`, { type: 'object', required: resource.required, properties: resource.properties }],
          [`${resource.one}Change`, { type: 'object', minProperties: 1, properties: resource.properties }],
        ]),
      ),
    },
  };
}

function stored(resource: Resource): Record<string, unknown> {
  return {
    type: 'object',
    required: ['id', ...resource.required],
    properties: { id: { type: 'integer' }, ...resource.properties },
  };
}

function pathsOf(resource: Resource): Record<string, unknown> {
  const { one, path } = resource;
  const name = one.toLowerCase();
  const tags = [path.slice(1)];
  const answer = { 200: { description: `The ${name}.`, content: json({ $ref: `#/components/schemas/${one}` }) } };
  const body = (schema: string): unknown => ({
    required: true,
    content: json({ $ref: `#/components/schemas/${schema}` }),
  });
  const list = {
    200: {
      description: `The ${name}s.`,
      content: json({ type: 'array', items: { $ref: `#/components/schemas/${one}` } }),
    },
  };
  return {
    [path]: {
      get: { operationId: `list${one}s`, summary: `List ${name}s`, tags, parameters: LIST_PARAMETERS, responses: list },
      post: {
        operationId: `create${one}`,
        summary: `Add a ${name}`,
        tags,
        security: WRITES,
        requestBody: body(`New${one}`),
        responses: { 201: answer[200] },
      },
    },
    [`${path}/{id}`]: {
      parameters: [ID],
      get: { operationId: `get${one}`, summary: `Get one ${name}`, tags, responses: answer },
      put: {
        operationId: `replace${one}`,
        summary: `Replace a ${name}`,
        tags,
        security: WRITES,
        requestBody: body(`New${one}`),
        responses: answer,
      },
      patch: {
        operationId: `update${one}`,
        summary: `Change a ${name}`,
        tags,
        security: WRITES,
        requestBody: body(`${one}Change`),
        responses: answer,
      },
      delete: {
        operationId: `delete${one}`,
        summary: `Remove a ${name}`,
        tags,
        security: WRITES,
        responses: { 200: { description: 'It is removed.' } },
      },
    },
  };
}

function json(schema: unknown): unknown {
  return { 'application/json': { schema } };
}
