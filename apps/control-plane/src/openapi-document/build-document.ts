import type { z } from 'zod';
import { ERROR_CATALOGUE } from '#libs/errors';
import { isPlatformPermission } from '../access/permissions.js';
import type { ContractShape } from '../contract/contract-shape.js';
import { headerParameters } from './header-parameters.js';
import { JsonSchemas, type JsonSchema } from './json-schemas.js';
import { responsesOf } from './responses.js';
import type { DocumentedRoute } from './documented-route.js';
import type { Operation } from './operation.js';

/** An OpenAPI 3.1 document of the management API. */
export interface OpenApiDocument extends Record<string, unknown> {
  readonly openapi: '3.1.0';
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, JsonSchema>> } & Record<string, unknown>;
}

const PROBLEM: JsonSchema = {
  type: 'object',
  description: 'A problem document (RFC 9457).',
  required: ['type', 'title', 'status', 'detail', 'code'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    code: { type: 'string', enum: Object.keys(ERROR_CATALOGUE) },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        required: ['pointer', 'message'],
        properties: { pointer: { type: 'string' }, message: { type: 'string' } },
      },
    },
    request_id: { type: 'string', description: 'The id of the request, as in `X-Request-Id`.' },
    docs: { type: 'string', description: 'Where this kind of error is explained.' },
  },
};

const SECURITY_SCHEMES = {
  accessToken: {
    type: 'http',
    scheme: 'bearer',
    description: 'An access token for this tenant’s management API, or an API key.',
  },
  apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key', description: 'An API key with the scope `management`.' },
  operatorKey: { type: 'http', scheme: 'bearer', description: 'An operator’s key.' },
};

/** The document of these routes. */
export function buildDocument(routes: readonly DocumentedRoute[], publicUrl: string): OpenApiDocument {
  const schemas = new JsonSchemas();
  const paths: Record<string, Record<string, Operation>> = {};
  for (const route of routes) {
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operationOf(route, schemas) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Wharf management API',
      version: '1',
      description: 'Servers, releases, secrets, keys and audit of a tenant; tenants and plans for operators.',
    },
    servers: [{ url: publicUrl }],
    paths,
    components: { schemas: { ...schemas.components, Problem: PROBLEM }, securitySchemes: SECURITY_SCHEMES },
  };
}

function operationOf(route: DocumentedRoute, schemas: JsonSchemas): Operation {
  const { method, path, access, contract } = route;
  const body = bodyOf(contract, schemas);
  return {
    operationId: `${method.toLowerCase()}${path.replaceAll(/[^A-Za-z0-9]+(\w)?/g, (_, letter: string = '') => letter.toUpperCase())}`,
    summary: contract.summary,
    ...(contract.description === undefined ? {} : { description: contract.description }),
    ...(contract.deprecated === undefined ? {} : { deprecated: true }),
    tags: [path.startsWith('/admin/') ? 'operators' : (path.split('/')[2] ?? 'platform')],
    parameters: [
      ...parametersOf('path', contract.params, schemas),
      ...parametersOf('query', contract.query, schemas),
      ...headerParameters(route, schemas),
    ],
    ...(body === undefined ? {} : { requestBody: { required: !mayBeAbsent(contract), content: body } }),
    responses: responsesOf(route, schemas),
    security: securityOf(access),
    'x-permission': access.kind === 'permission' ? access.permission : null,
    ...(access.kind === 'person' ? { 'x-served-by': 'auth-server' } : {}),
  };
}

function securityOf(access: DocumentedRoute['access']): Array<Record<string, never[]>> {
  if (access.kind === 'public') return [];
  if (access.kind === 'person') return [{ accessToken: [] }];
  return isPlatformPermission(access.permission) ? [{ operatorKey: [] }] : [{ accessToken: [] }, { apiKey: [] }];
}

function parametersOf(
  place: 'path' | 'query',
  shape: z.ZodObject | undefined,
  schemas: JsonSchemas,
): Operation['parameters'] {
  if (shape === undefined) return [];
  return Object.entries(shape.shape).map(([name, field]) => {
    // A zod object's fields are zod types; the shape's own type says less.
    const { description, ...schema } = schemas.of(field as z.ZodType, 'input');
    const required = place === 'path' || !(field as z.ZodType).safeParse(undefined).success;
    return { name, in: place, required, schema, ...(typeof description === 'string' ? { description } : {}) };
  });
}

function bodyOf({ body }: ContractShape, schemas: JsonSchemas): Record<string, { schema: JsonSchema }> | undefined {
  if (body === undefined) return undefined;
  if (body.kind === 'json') return { 'application/json': { schema: schemas.of(body.schema, 'input') } };
  return Object.fromEntries(body.mediaTypes.map((mediaType) => [mediaType, { schema: {} }]));
}

function mayBeAbsent({ body }: ContractShape): boolean {
  return body?.kind === 'json' && body.mayBeAbsent;
}
