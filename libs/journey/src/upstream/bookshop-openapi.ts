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
  return {
    [resource.path]: { get: listOperation(resource), post: writeOperation(resource, 'create') },
    [`${resource.path}/{id}`]: {
      parameters: [ID],
      get: { ...headOf(resource, 'get', 'Get one'), responses: { 200: described(resource) } },
      put: writeOperation(resource, 'replace'),
      patch: writeOperation(resource, 'update'),
      delete: {
        ...headOf(resource, 'delete', 'Remove a'),
        security: WRITES,
        responses: { 200: { description: 'It is removed.' } },
      },
    },
  };
}

function listOperation(resource: Resource): Record<string, unknown> {
  const { one } = resource;
  const content = json({ type: 'array', items: { $ref: `#/components/schemas/${one}` } });
  const { summary, tags } = headOf(resource, 'list', 'List every');
  const responses = { 200: { description: 'The list.', content } };
  return { operationId: `list${one}s`, summary, tags, parameters: LIST_PARAMETERS, responses };
}

function writeOperation(resource: Resource, verb: 'create' | 'replace' | 'update'): Record<string, unknown> {
  const { one } = resource;
  const { says, schema, status } = {
    create: { says: 'Add a', schema: `New${one}`, status: 201 },
    replace: { says: 'Replace a', schema: `New${one}`, status: 200 },
    update: { says: 'Change a', schema: `${one}Change`, status: 200 },
  }[verb];
  return {
    ...headOf(resource, verb, says),
    security: WRITES,
    requestBody: { required: true, content: json({ $ref: `#/components/schemas/${schema}` }) },
    responses: { [status]: described(resource) },
  };
}

function headOf({ one, path }: Resource, verb: string, says: string) {
  return { operationId: `${verb}${one}`, summary: `${says} ${one.toLowerCase()}`, tags: [path.slice(1)] };
}

function described({ one }: Resource): Record<string, unknown> {
  return { description: `The ${one.toLowerCase()}.`, content: json({ $ref: `#/components/schemas/${one}` }) };
}

function json(schema: unknown): unknown {
  return { 'application/json': { schema } };
}
