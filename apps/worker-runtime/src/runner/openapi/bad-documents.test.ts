import { describe, expect, test } from '@jest/globals';
import { documentOf, jsonBody, operation, problemsOf } from './openapi.fixture.js';

const info = { title: 'Shop', version: '1' };
const servers = [{ url: 'https://api.example.com' }];
const get = (node: object = {}): object => ({ '/a': { get: operation({ operationId: 'a', ...node }) } });

describe('a document that cannot be used is refused with a pointer to what is wrong', () => {
  test.each<[string, object | string, string, string]>([
    ['neither JSON nor YAML', '{"openapi": ', '', 'not valid JSON'],
    ['broken YAML', 'openapi: 3.0.3\ninfo: [', '', 'neither JSON nor YAML'],
    ['not an object', '"text"', '', 'must be an object'],
    ['a list', '[1]', '', 'must be an object'],
    ['Swagger 2.0', { swagger: '2.0', info, paths: {} }, '/swagger', 'Convert the document to OpenAPI 3.0 or 3.1'],
    ['OpenAPI 3.2', { openapi: '3.2.0', info, paths: {} }, '/openapi', 'not supported'],
    ['without a version', { info, paths: {} }, '/openapi', 'missing'],
    ['without paths', { openapi: '3.0.3', info }, '/paths', '"paths" is missing'],
    ['paths that are a list', documentOf([]), '/paths', 'must be an object'],
    ['without info', { openapi: '3.0.3', servers, paths: get() }, '/info', '"info" is missing'],
    ['without operations', documentOf({}), '/paths', 'no operations'],
    ['without a server', documentOf(get(), { servers: [] }), '/servers', 'Give "baseUrl"'],
    ['a relative server', documentOf(get(), { servers: [{ url: '/v1' }] }), '/servers/0/url', 'not an absolute http'],
    [
      'a server of another scheme',
      documentOf(get(), { servers: [{ url: 'file:///etc' }] }),
      '/servers/0/url',
      'not an absolute http',
    ],
    [
      'a server with a password',
      documentOf(get(), { servers: [{ url: 'https://a:b@c.example' }] }),
      '/servers/0/url',
      'must not hold credentials',
    ],
    [
      'a server variable without default',
      documentOf(get(), { servers: [{ url: 'https://{x}.example' }] }),
      '/servers/0/variables/x/default',
      'has no default',
    ],
    [
      'a reference to nothing',
      documentOf(get({ parameters: [{ $ref: '#/components/parameters/none' }] })),
      '/paths/~1a/get/parameters/0/$ref',
      'leads nowhere',
    ],
    [
      'a reference to a file',
      documentOf(get({ parameters: [{ $ref: './parameters.yaml#/a' }] })),
      '/paths/~1a/get/parameters/0/$ref',
      'nothing is fetched',
    ],
    [
      'a reference to a URL',
      documentOf(get({ responses: { 200: { $ref: 'http://127.0.0.1:9/x.json' } } })),
      '/paths/~1a/get/responses/200/$ref',
      'nothing is fetched',
    ],
    [
      'an absolute file reference',
      documentOf({ ...get(), '/z': { $ref: '/etc/passwd' } }),
      '/paths/~1z/$ref',
      'nothing is fetched',
    ],
    [
      'references in a circle',
      documentOf(get(), {
        components: { schemas: { A: { $ref: '#/components/schemas/B' }, B: { $ref: '#/components/schemas/A' } } },
      }),
      '/components/schemas/A/$ref',
      'lead back',
    ],
    [
      'a reference that is no text',
      documentOf(get({ parameters: [{ $ref: 1 }] })),
      '/paths/~1a/get/parameters/0/$ref',
      'must be text',
    ],
    ['an operation that is no object', documentOf({ '/a': { get: 1 } }), '/paths/~1a/get', 'must be an object'],
    ['a path without its slash', documentOf({ a: { get: operation() } }), '/paths/a', 'must begin with "/"'],
    [
      'a path parameter nobody declares',
      documentOf({ '/a/{id}': { get: operation() } }),
      '/paths/~1a~1{id}/get',
      '{id}',
    ],
    [
      'a parameter without a place',
      documentOf(get({ parameters: [{ name: 'q', schema: {} }] })),
      '/paths/~1a/get/parameters/0/in',
      'must be in "path"',
    ],
    ['an operation without responses', documentOf({ '/a': { get: {} } }), '/paths/~1a/get', 'responses'],
    ['a title that is no text', documentOf(get(), { info: { title: 1, version: '1' } }), '/info/title', 'string'],
    [
      'a schema of an unknown type',
      {
        ...documentOf({
          '/a': { post: operation(jsonBody({ type: 'object', properties: { x: { type: 'strin' } } })) },
        }),
        openapi: '3.1.0',
      },
      '/paths/~1a/post/requestBody/content/application~1json/schema/properties/x/type',
      'must be one of',
    ],
    [
      'a pattern that is none',
      documentOf({
        '/a': { post: operation(jsonBody({ type: 'object', properties: { x: { type: 'string', pattern: '(' } } })) },
      }),
      '/paths/~1a/post/requestBody/content/application~1json/schema/properties/x/pattern',
      'regular expression',
    ],
    [
      'a property named __proto__',
      '{"openapi":"3.0.3","info":{"title":"a","version":"1"},"paths":{"/a":{"get":{"__proto__":{"x":1}}}}}',
      '/paths/~1a/get/__proto__',
      '__proto__',
    ],
  ])('%s', async (_, document, pointer, message) => {
    const problems = await problemsOf(document);
    expect(problems).toContainEqual({ pointer, message: expect.stringContaining(message) });
  });

  test('and every place is told at once', async () => {
    const paths = {
      '/a/{id}': { get: operation({ parameters: [{ $ref: './x' }, { $ref: '#/nope' }] }) },
      '/b': { get: 1 },
      c: { get: operation() },
    };
    const problems = await problemsOf(documentOf(paths, { info: 1, servers: [{ url: '/' }] }), {
      credentials: { none: 'x' },
      select: { tags: ['t'] },
    });
    expect(problems.map((problem) => problem.pointer)).toEqual(
      expect.arrayContaining([
        '/info',
        '/servers/0/url',
        '/paths/~1a~1{id}/get/parameters/0/$ref',
        '/paths/~1a~1{id}/get/parameters/1/$ref',
        '/paths/~1b/get',
        '/paths/c',
        '/credentials/none',
        '/select/tags/0',
      ]),
    );
  });

  test('also where many places of one kind leave the form of OpenAPI', async () => {
    const paths = Object.fromEntries(
      Array.from({ length: 40 }, (_, index) => [
        `/p{x}/${index}`,
        { get: { parameters: [{ name: 'x', in: 'path', required: true, schema: { typ: 'string' } }] } },
      ]),
    );
    const problems = await problemsOf(documentOf(paths));
    expect(problems).toHaveLength(80);
    expect(problems).toContainEqual({
      pointer: '/paths/~1p{x}~139/get',
      message: '"responses" is missing (OpenAPI 3.0).',
    });
    expect(problems).toContainEqual({
      pointer: '/paths/~1p{x}~139/get/parameters/0/schema/typ',
      message: 'OpenAPI 3.0 does not know this here. Did you mean "type"?',
    });
  });

  test('but never more than a hundred times', async () => {
    const paths = Object.fromEntries(
      Array.from({ length: 500 }, (_, index) => [`/p${index}`, { get: operation({ parameters: [{ $ref: './x' }] }) }]),
    );
    const problems = await problemsOf(documentOf(paths));
    expect(problems).toHaveLength(100);
    expect(problems.at(-1)).toEqual({ pointer: '', message: expect.stringMatching(/^and \d+ more problems/) });
  });
});

describe('a release source that does not fit its document is refused', () => {
  const document = documentOf(get({ tags: ['pets'] }), {
    components: {
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer' },
        sid: { type: 'apiKey', in: 'cookie', name: 's' },
        digest: { type: 'http', scheme: 'digest' },
      },
    },
  });

  test.each([
    [{ select: { tags: ['pet'] } }, '/select/tags/0', 'Did you mean "pets"?'],
    [{ select: { paths: ['/b'] } }, '/select/paths/0', 'No path matches'],
    [{ select: { operationIds: ['b'] } }, '/select/operationIds/0', 'No operation has "b"'],
    [{ select: { tags: [] } }, '/select', 'No operation of 1 matches'],
    [{ credentials: { tokem: 'x' } }, '/credentials/tokem', 'Did you mean "token"?'],
    [{ credentials: { token: 'Not A Name' } }, '/credentials/token', 'A secret is named with'],
    [{ credentials: { sid: 'x' } }, '/credentials/sid', 'header or in the query only'],
    [{ credentials: { digest: 'x' } }, '/credentials/digest', 'not supported'],
    [{ baseUrl: 'https://user:pass@api.example.com' }, '/baseUrl', 'must not hold credentials'],
    [{ baseUrl: 'https://api.example.com/?q=1' }, '/baseUrl', 'plain base URL'],
  ])('%j', async (settings, pointer, message) => {
    expect(await problemsOf(document, settings)).toContainEqual({ pointer, message: expect.stringContaining(message) });
  });

  test('when it gives neither a document nor an artefact', async () => {
    expect(await problemsOf({}, { document: undefined })).toEqual([
      { pointer: '/document', message: expect.stringContaining('either "document" or "artefact"') },
    ]);
  });

  test('is refused with what was left out and why, where nothing is left', async () => {
    const body = { requestBody: { required: true, content: { 'application/xml': { schema: { type: 'object' } } } } };
    const paths = { '/a': { post: operation(body), trace: operation() }, '/b': { put: operation(body) } };
    expect(await problemsOf(documentOf(paths))).toEqual([
      { pointer: '/paths', message: 'No operation can become a tool; none sends what tools can send.' },
      { pointer: '/paths/~1a/trace', message: 'TRACE /a: Tools do not send TRACE.' },
      { pointer: '/paths/~1a/post/requestBody', message: expect.stringMatching(/^POST \/a: .*application\/xml/) },
      { pointer: '/paths/~1b/put/requestBody', message: expect.stringMatching(/^PUT \/b: .*application\/xml/) },
    ]);
  });
});
