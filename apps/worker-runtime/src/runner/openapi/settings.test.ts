import { describe, expect, test } from '@jest/globals';
import { documentOf, importDocument, operation, problemsOf } from './openapi.fixture.js';

describe('a document', () => {
  test('becomes tools with the shapes that the release gives them by name', async () => {
    const content = { 'application/json': { schema: { type: 'object', properties: { id: { type: 'string' } } } } };
    const responses = { 200: { description: 'Done.', content } };
    const document = documentOf({
      '/a': { get: { operationId: 'a', responses }, put: { operationId: 'b', responses } },
    });
    const { tool } = await importDocument(document, { shapes: { a: 'items[*].id' } });
    expect(tool('a').http.shape).toBe('items[*].id');
    expect(tool('a')).not.toHaveProperty('outputSchema');
    expect(tool('b')).toHaveProperty('outputSchema');
    expect(tool('b').http).not.toHaveProperty('shape');
    expect(await problemsOf(document, { shapes: { a: 'a[', c: 'id' } })).toEqual([
      { pointer: '/shapes/a', message: expect.stringContaining('This is not JMESPath') },
      { pointer: '/shapes/c', message: expect.stringContaining('There is no tool "c".') },
    ]);
  });

  test('is served from its server URL with the variables that the release gives, where the document allows them', async () => {
    const servers = [
      {
        url: 'https://{region}.example.com/{base}',
        variables: { region: { default: 'eu', enum: ['eu', 'us'] }, base: { default: 'v2' } },
      },
    ];
    const document = documentOf({ '/a': { get: operation({ operationId: 'a' }) } }, { servers });
    const { manifest } = await importDocument(document, { serverVariables: { region: 'us' } });
    expect(manifest.origins).toEqual(['https://us.example.com']);
    expect(manifest.tools[0]?.http.urlTemplate).toBe('https://us.example.com/v2/a');
    expect(await problemsOf(document, { serverVariables: { region: 'asia', bass: 'v3' } })).toEqual([
      { pointer: '/serverVariables/region', message: 'The document allows "eu", "us" only.' },
      { pointer: '/serverVariables/bass', message: expect.stringContaining('Did you mean "base"?') },
    ]);
    expect(await problemsOf(document, { serverVariables: { base: '?' } })).toEqual([
      { pointer: '/servers/0/url', message: expect.stringContaining('plain base URL') },
    ]);
  });
});
