import { describe, expect, test } from '@jest/globals';
import { documentOf, importDocument, jsonBody, operation } from './openapi.fixture.js';

const PETS = documentOf(
  {
    '/pets': {
      get: operation({ operationId: 'listPets', tags: ['pets'], summary: 'List pets' }),
      post: operation({ operationId: 'createPet', tags: ['pets'], ...jsonBody({ $ref: '#/components/schemas/Pet' }) }),
    },
    '/pets/{petId}': {
      parameters: [{ name: 'petId', in: 'path', required: true, schema: { type: 'integer' } }],
      get: operation({ operationId: 'pets/show by id', tags: ['pets', 'read'] }),
      delete: operation({ tags: ['pets'] }),
    },
    '/petshop': { get: operation({ operationId: 'shop' }) },
  },
  {
    components: {
      schemas: {
        Pet: {
          type: 'object',
          required: ['name', 'id'],
          properties: { id: { type: 'integer', readOnly: true }, name: { type: 'string' } },
        },
      },
    },
  },
);

describe('a document', () => {
  test('becomes tools with URLs, annotations and names of its operations', async () => {
    const { manifest, tool, report } = await importDocument(PETS);
    expect(manifest).toMatchObject({
      kind: 'openapi',
      server: { name: 'shop', title: 'Shop' },
      origins: ['https://api.example.com'],
      credentials: [],
    });
    expect(manifest.tools.map((one) => one.name)).toEqual([
      'listPets',
      'createPet',
      'pets_show_by_id',
      'delete_pets_petId',
      'shop',
    ]);
    expect(tool('listPets')).toMatchObject({
      title: 'List pets',
      description: 'List pets',
      annotations: { readOnlyHint: true },
    });
    expect(tool('pets_show_by_id').http).toMatchObject({
      method: 'GET',
      urlTemplate: 'https://api.example.com/v1/pets/{petId}',
    });
    expect(tool('delete_pets_petId')).toMatchObject({
      description: 'DELETE /pets/{petId}',
      annotations: { destructiveHint: true, idempotentHint: true },
    });
    expect(report.renamed).toEqual([
      { from: 'pets/show by id', to: 'pets_show_by_id', reason: expect.any(String) },
      { from: 'DELETE /pets/{petId}', to: 'delete_pets_petId', reason: expect.any(String) },
    ]);
    expect(report.listTokens).toBeLessThan(report.listBytes / 3);
  });

  test('is read the same as JSON text, YAML text or inline, also with aliases', async () => {
    const yaml = [
      'openapi: 3.0.3',
      'info: &info {title: Shop, version: "1"}',
      'servers: [{url: "https://api.example.com/v1/"}]',
      'x-info: *info',
      'paths:',
      '  /petshop:',
      '    get:',
      '      operationId: shop',
      '      responses: {"204": {description: Done.}}',
    ].join('\n');
    const small = documentOf({ '/petshop': { get: operation({ operationId: 'shop' }) } });
    const [inline, json, text, inlineText] = await Promise.all([
      importDocument(small),
      importDocument(JSON.stringify(small)),
      importDocument(yaml),
      importDocument({}, { document: yaml }),
    ]);
    expect(json.manifest).toEqual(inline.manifest);
    expect(text.manifest).toEqual(inline.manifest);
    expect(inlineText.manifest).toEqual(inline.manifest);
  });

  test('of version 3.1 is read with its JSON Schema 2020-12', async () => {
    const schema = {
      type: 'object',
      properties: { name: { type: ['string', 'null'] }, size: { type: 'number', exclusiveMinimum: 0 }, any: true },
    };
    const { tool } = await importDocument({
      ...documentOf({ '/a': { post: operation({ operationId: 'a', ...jsonBody(schema) }) } }),
      openapi: '3.1.1',
    });
    expect(tool('a').inputSchema).toEqual({
      type: 'object',
      properties: { name: { type: ['string', 'null'] }, size: { type: 'number', exclusiveMinimum: 0 }, any: {} },
      additionalProperties: false,
    });
  });

  test('is served from the base URL that the release names instead of its own', async () => {
    const { manifest } = await importDocument(PETS, { baseUrl: 'http://127.0.0.1:8080/base/' });
    expect(manifest.origins).toEqual(['http://127.0.0.1:8080']);
    expect(manifest.tools[0]?.http.urlTemplate).toBe('http://127.0.0.1:8080/base/pets');
  });

  test('is served from its server URL with the defaults of its variables, or from that of a path or operation', async () => {
    const servers = [
      { url: 'https://{region}.example.com/{base}', variables: { region: { default: 'eu' }, base: { default: 'v2' } } },
    ];
    const paths = {
      '/a': { get: operation({ operationId: 'a' }) },
      '/b': {
        servers: [{ url: 'https://b.example.com' }],
        get: operation({ operationId: 'b' }),
        put: operation({ operationId: 'c', servers: [{ url: 'https://c.example.com' }] }),
      },
    };
    const { tool, manifest } = await importDocument(documentOf(paths, { servers }));
    expect(tool('a').http.urlTemplate).toBe('https://eu.example.com/v2/a');
    expect(tool('b').http.urlTemplate).toBe('https://b.example.com/b');
    expect(tool('c').http.urlTemplate).toBe('https://c.example.com/b');
    expect(manifest.origins).toEqual(['https://b.example.com', 'https://c.example.com', 'https://eu.example.com']);
  });
});

describe('a selection', () => {
  test.each([
    [{ tags: ['read'] }, ['pets_show_by_id']],
    [{ operationIds: ['shop', 'listPets'] }, ['listPets', 'shop']],
    [{ paths: ['/pets'] }, ['listPets', 'createPet', 'pets_show_by_id', 'delete_pets_petId']],
    [{ paths: ['/pets/*'] }, ['pets_show_by_id', 'delete_pets_petId']],
    [{ paths: ['*shop'] }, ['shop']],
    [{ tags: ['pets'], paths: ['/pets/{petId}'] }, ['pets_show_by_id', 'delete_pets_petId']],
  ])('%j takes exactly its operations', async (select, names) => {
    const { manifest } = await importDocument(PETS, { select });
    expect(manifest.tools.map((tool) => tool.name)).toEqual(names);
  });
});

describe('names', () => {
  test('that several operations want all get a hash of method and path, in whatever order they stand', async () => {
    const item = (method: string) => ({ [method]: operation({ operationId: 'same' }) });
    const forth = await importDocument(documentOf({ '/a': item('get'), '/b': item('get') }));
    const back = await importDocument(documentOf({ '/b': item('get'), '/a': item('get') }));
    const byUrl = (imported: typeof forth) =>
      new Map(imported.manifest.tools.map((tool) => [tool.http.urlTemplate, tool.name]));
    expect(byUrl(back)).toEqual(byUrl(forth));
    expect(new Set(byUrl(forth).values()).size).toBe(2);
    for (const name of byUrl(forth).values()) expect(name).toMatch(/^same_[0-9a-f]{8}$/);
  });

  test('longer than 64 characters are cut and told apart', async () => {
    const long = 'x'.repeat(80);
    const { manifest } = await importDocument(
      documentOf({
        '/a': { get: operation({ operationId: `${long}a` }), put: operation({ operationId: `${long}b` }) },
      }),
    );
    const names = manifest.tools.map((tool) => tool.name);
    expect(names.map((name) => name.length)).toEqual([64, 64]);
    expect(new Set(names).size).toBe(2);
  });
});

describe('credentials', () => {
  const components = {
    securitySchemes: {
      token: { type: 'http', scheme: 'bearer' },
      login: { type: 'http', scheme: 'basic' },
      key: { type: 'apiKey', in: 'header', name: 'X-Key' },
      queried: { type: 'apiKey', in: 'query', name: 'api_key' },
      flow: { type: 'oauth2', flows: {} },
      cookie: { type: 'apiKey', in: 'cookie', name: 'sid' },
    },
  };
  const paths = {
    '/open': { get: operation({ operationId: 'open', security: [] }) },
    '/default': { get: operation({ operationId: 'default' }) },
    '/either': { get: operation({ operationId: 'either', security: [{ flow: [] }, { key: [], queried: [] }] }) },
    '/elsewhere': {
      servers: [{ url: 'https://other.example.com' }],
      get: operation({ operationId: 'elsewhere', security: [{ login: [] }] }),
    },
  };
  const document = documentOf(paths, { components, security: [{ token: [] }] });

  test('are added to the operations that need them, for the origins of those and no other', async () => {
    const { manifest, tool } = await importDocument(document, {
      credentials: { token: 't-1', key: 'k-1', queried: 'q-1', login: 'l-1' },
    });
    expect(manifest.credentials).toEqual([
      {
        id: 'token',
        secret: 't-1',
        in: 'header',
        name: 'Authorization',
        prefix: 'Bearer ',
        origins: ['https://api.example.com'],
      },
      { id: 'key', secret: 'k-1', in: 'header', name: 'X-Key', prefix: '', origins: ['https://api.example.com'] },
      { id: 'queried', secret: 'q-1', in: 'query', name: 'api_key', prefix: '', origins: ['https://api.example.com'] },
      {
        id: 'login',
        secret: 'l-1',
        in: 'header',
        name: 'Authorization',
        prefix: 'Basic ',
        origins: ['https://other.example.com'],
      },
    ]);
    expect(tool('open').http.credentials).toEqual([]);
    expect(tool('default').http.credentials).toEqual(['token']);
    expect(tool('either').http.credentials).toEqual(['key', 'queried']);
    expect(tool('elsewhere').http.credentials).toEqual(['login']);
  });

  test('that no secret is named for are reported', async () => {
    const { manifest, report } = await importDocument(document, { credentials: { flow: 'f-1' } });
    expect(manifest.credentials.map((credential) => [credential.id, credential.prefix])).toEqual([['flow', 'Bearer ']]);
    expect(report.skipped.map((skipped) => skipped.pointer)).toEqual([
      '/components/securitySchemes/token',
      '/components/securitySchemes/login',
    ]);
  });

  test('can be a bearer token for a document that declares no scheme at all', async () => {
    const { tool } = await importDocument(documentOf({ '/a': { get: operation({ operationId: 'a' }) } }), {
      credentials: { bearer: 'gh' },
    });
    expect(tool('a').http.credentials).toEqual(['bearer']);
  });
});
