import { describe, expect, test } from '@jest/globals';
import { RunnerProcess } from '../runner-process.fixture.js';
import { documentOf, importDocument, jsonBody, operation, problemsOf } from './openapi.fixture.js';

const body = (schema: object, components: object = {}): object =>
  documentOf(
    { '/a': { post: operation({ operationId: 'a', ...jsonBody(schema) }), get: operation({ operationId: 'b' }) } },
    { components },
  );

/** Schemas S0…Sn that each use the next twice: 2^n when written out. */
function doubling(count: number, use: (next: object) => object): Record<string, object> {
  const next = (index: number) => ({ $ref: `#/components/schemas/S${index + 1}` });
  return Object.fromEntries(
    Array.from({ length: count }, (_, index) => [
      `S${index}`,
      index + 1 === count ? { type: 'string' } : use(next(index)),
    ]),
  );
}

describe('a hostile document', () => {
  test.each([
    ['JSON', `{"openapi":"3.0.3","x":${'['.repeat(200_000)}${']'.repeat(200_000)}}`],
    ['YAML', `openapi: 3.0.3\nx: ${'['.repeat(20_000)}${']'.repeat(20_000)}\n`],
  ])('nested without end in %s is refused', async (_, text) => {
    const [problem] = await problemsOf(text);
    expect(problem?.message).toMatch(/nested/);
  });

  test('whose YAML aliases expand without end is refused', async () => {
    const lines = Array.from(
      { length: 12 },
      (_, index) => `b${index + 1}: &b${index + 1} [${Array(9).fill(`*b${index}`).join(', ')}]`,
    );
    expect(await problemsOf(['openapi: 3.0.3', 'b0: &b0 [x]', ...lines].join('\n'))).toEqual([
      { pointer: '', message: expect.stringContaining('alias') },
    ]);
  });

  test('with a YAML map of very many keys is read in time that grows with its size', async () => {
    const cpuOf = async (length: number): Promise<number> => {
      const keys = Array.from({ length }, (_, index) => `  k${index}: &a${index} x`).join('\n');
      const before = process.cpuUsage();
      await problemsOf(`openapi: 3.0.3\nx-keys:\n${keys}`);
      return process.cpuUsage(before).user;
    };
    await cpuOf(1_000); // loads what it needs
    // Processor time, which a busy machine does not stretch: eight times the keys would take 64 times the time.
    expect((await cpuOf(64_000)) / (await cpuOf(8_000))).toBeLessThan(30);
  });

  test('whose YAML says a key twice is refused', async () => {
    expect(await problemsOf('openapi: 3.0.3\ninfo: {title: a}\ninfo: {title: b}')).toEqual([
      { pointer: '', message: expect.stringContaining('info is there twice') },
    ]);
  });

  test('that holds itself by a YAML alias is refused', async () => {
    expect(await problemsOf('openapi: 3.0.3\nx: &x\n  y: *x\n')).toEqual([
      { pointer: expect.any(String), message: expect.stringMatching(/nested deeper|alias/) },
    ]);
  });

  test.each([
    ['properties', (next: object) => ({ type: 'object', properties: { a: next, b: next } })],
    ['alternatives', (next: object) => ({ anyOf: [next, next] })],
  ])('whose schemas double with every reference in %s costs no more than it is large', async (_, use) => {
    const { tool } = await importDocument(
      body({ type: 'object', properties: { s: { $ref: '#/components/schemas/S0' } } }, { schemas: doubling(60, use) }),
    );
    expect(Object.keys(tool('a').inputSchema['$defs'] as object)).toHaveLength(60); // the importer writes an object here
  });

  test('whose schema refers to itself without end loses that operation, not the others', async () => {
    const schemas = {
      A: { allOf: [{ $ref: '#/components/schemas/B' }] },
      B: { anyOf: [{ $ref: '#/components/schemas/A' }, { type: 'string' }] },
    };
    const { manifest, report } = await importDocument(
      body({ type: 'object', properties: { a: { $ref: '#/components/schemas/A' } } }, { schemas }),
    );
    expect(manifest.tools.map((tool) => tool.name)).toEqual(['b']);
    expect(report.skipped).toEqual([
      expect.objectContaining({ operation: 'POST /a', reason: 'Its schema refers to itself without end.' }),
    ]);
  });

  test('whose one schema is larger than a tool may show loses that operation', async () => {
    const properties = Object.fromEntries(
      Array.from({ length: 250 }, (_, index) => [`p${index}`, { type: 'string', enum: ['x'.repeat(2_000)] }]),
    );
    const { report } = await importDocument(body({ type: 'object', properties }));
    expect(report.skipped).toEqual([
      expect.objectContaining({ operation: 'POST /a', reason: expect.stringContaining('too large') }),
    ]);
  });

  test('of 10,000 operations is refused until some are selected', async () => {
    const paths = Object.fromEntries(
      Array.from({ length: 10_000 }, (_, index) => [
        `/p/${index}`,
        { get: operation({ tags: [index < 5 ? 'few' : 'many'] }) },
      ]),
    );
    expect(await problemsOf(documentOf(paths))).toEqual([
      { pointer: '/select', message: expect.stringContaining('10000 operations would become tools; at most 2000') },
    ]);
    expect((await importDocument(documentOf(paths), { select: { tags: ['few'] } })).manifest.tools).toHaveLength(5);
  });

  test.each(['constructor', 'toString', 'hasOwnProperty', 'prototype'])(
    'that calls everything %s is read by what it says',
    async (name) => {
      const parameters = [{ name, in: 'query', schema: { $ref: `#/components/schemas/${name}` } }];
      const document = documentOf(
        { '/a': { get: operation({ operationId: name, tags: [name], parameters }) } },
        { components: { schemas: { [name]: { type: 'integer' } } } },
      );
      const { tool } = await importDocument(document, { select: { tags: [name] } });
      expect(tool(name).inputSchema['properties']).toEqual({ [name]: { type: 'integer' } });
      expect(await problemsOf(document, { credentials: { [name]: 'x' } })).toEqual([
        { pointer: `/credentials/${name}`, message: expect.stringContaining('no security scheme') },
      ]);
    },
  );

  test('whose paths would leave their base URL loses those operations', async () => {
    const { manifest, report } = await importDocument(
      documentOf({
        '/../admin': { get: operation() },
        '/%2e%2e/x': { get: operation() },
        '/a#b': { get: operation() },
        '/ok': { get: operation({ operationId: 'ok' }) },
      }),
    );
    expect(manifest.tools.map((tool) => tool.name)).toEqual(['ok']);
    expect(report.skipped).toHaveLength(3);
  });

  test('cannot make the runner read a file or a URL, which has no rights to either', async () => {
    const document = documentOf({
      '/a': { get: operation({ parameters: [{ $ref: 'file:///etc/hostname' }, { $ref: 'http://127.0.0.1:9/' }] }) },
    });
    const { end } = await RunnerProcess.build({ kind: 'openapi', document });
    expect(end).toMatchObject({
      t: 'fail',
      outcome: 'refused',
      failure: {
        code: 'unprocessable',
        problems: [{ pointer: '/paths/~1a/get/parameters/0/$ref' }, { pointer: '/paths/~1a/get/parameters/1/$ref' }],
      },
    });
  });
});
