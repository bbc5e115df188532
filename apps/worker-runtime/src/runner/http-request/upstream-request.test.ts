import { createServer } from 'node:http';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { HttpBinding, Placement } from '#libs/protocol';
import { PlacementFault } from './place-values.js';
import { buildUpstreamRequest } from './upstream-request.js';

const FILE: Placement = { argument: 'file', in: 'body', name: 'file', part: { file: true } };

function binding(rest: Partial<HttpBinding>): HttpBinding {
  const urlTemplate = 'https://api.example.com/a?fixed=1';
  return { method: 'POST', urlTemplate, placements: [], headers: {}, credentials: [], timeoutMs: 5_000, ...rest };
}

function queryOf(style: Placement['style'], value: unknown, more: readonly Placement[] = []): string {
  const placements = [{ argument: 'o', in: 'query' as const, name: 'o', style }, ...more];
  const { url } = buildUpstreamRequest(binding({ method: 'GET', placements }), { o: value });
  return decodeURIComponent(url.slice(url.indexOf('&') + 1));
}

describe('a query', () => {
  test.each([
    ['exploded', 'R=100&G=200'],
    ['comma', 'o=R,100,G,200'],
    ['space', 'o=R 100 G 200'],
    ['pipe', 'o=R|100|G|200'],
    ['deep', 'o[R]=100&o[G]=200'],
    ['json', 'o={"R":100,"G":200}'],
    [undefined, 'o={"R":100,"G":200}'],
  ] as const)('has an object as its style %s says', (style, query) => {
    expect(queryOf(style, { R: 100, G: 200 })).toBe(query);
  });

  test('has deep objects and their lists bracket by bracket', () => {
    expect(queryOf('deep', { a: { b: { c: [1, 2] } }, d: 'x&y' })).toBe('o[a][b][c]=1&o[a][b][c]=2&o[d]=x&y');
  });

  test('has text as JSON where the document asks for JSON', () => {
    expect(queryOf('json', 'a')).toBe('o="a"');
  });

  test.each(['page', 'fixed'])('cannot be given another %s by a property of an object', (name) => {
    const page: Placement = { argument: 'page', in: 'query', name: 'page' };
    expect(() => queryOf('exploded', { [name]: 2 }, [page])).toThrow(PlacementFault);
  });
});

describe('a form', () => {
  test('has lists and objects as their styles say', () => {
    const placements: Placement[] = [
      { argument: 'a', in: 'body', name: 'a' },
      { argument: 'b', in: 'body', name: 'b', style: 'comma' },
      { argument: 'c', in: 'body', name: 'c', style: 'deep' },
    ];
    const given = { a: ['x', 'ä&'], b: [1, 2], c: { d: { e: 1 } } };
    const { body, headers } = buildUpstreamRequest(binding({ bodyType: 'form', placements }), given);
    expect(body?.toString()).toBe('a=x&a=%C3%A4%26&b=1,2&c%5Bd%5D%5Be%5D=1');
    expect(headers['content-type']).toBe('application/x-www-form-urlencoded');
  });
});

describe('a multipart body', () => {
  /** An upstream that says what it understood, reading with the platform's own parser. */
  const upstream = createServer((request, response) => {
    const body = new ReadableStream<Uint8Array>({
      async start(controller) {
        for await (const chunk of request) controller.enqueue(chunk);
        controller.close();
      },
    });
    const type = request.headers['content-type'] ?? '';
    void new Response(body, { headers: { 'content-type': type } }).formData().then(async (form) => {
      const fields = [...form].map(async ([name, value]) =>
        typeof value === 'string' ? [name, value] : [name, value.name, value.type, await value.text()],
      );
      response.end(JSON.stringify(await Promise.all(fields)));
    });
  });
  beforeAll(async () => {
    await once(upstream.listen(0, '127.0.0.1'), 'listening');
  });
  afterAll(() => {
    upstream.close();
  });

  async function understood(placements: Placement[], given: object, headers = {}): Promise<unknown> {
    const request = buildUpstreamRequest(binding({ bodyType: 'multipart', placements, headers }), { ...given });
    const address = upstream.address();
    if (typeof address !== 'object' || address === null) throw new Error('not listening');
    const { method, body = Buffer.of() } = request;
    const type = { 'content-type': request.headers['content-type'] ?? '' };
    const url = `http://127.0.0.1:${address.port}`;
    return (await fetch(url, { method, headers: type, body: new Uint8Array(body) })).json();
  }

  test('is read by an upstream as fields and files, lists as several', async () => {
    const placements: Placement[] = [
      { argument: 'note', in: 'body', name: 'a "note"' },
      { argument: 'tags', in: 'body', name: 'tags' },
      { argument: 'meta', in: 'body', name: 'meta' },
      { ...FILE, part: { file: true, type: 'image/png' } },
      { argument: 'more', in: 'body', name: 'more', part: { file: true } },
    ];
    const given = {
      note: 'ä\r\n--x',
      tags: ['a', 2],
      meta: { b: true },
      file: 'AAEC',
      more: [{ data: 'aGk', filename: 'ö".txt', mimeType: 'text/plain' }, { data: 'aGk=' }],
    };
    expect(await understood(placements, given, { 'Content-Type': 'text/plain' })).toEqual([
      ['a "note"', 'ä\r\n--x'],
      ['tags', 'a'],
      ['tags', '2'],
      ['meta', '{"b":true}'],
      ['file', 'file', 'image/png', '\u0000\u0001\u0002'],
      ['more', 'ö".txt', 'text/plain', 'hi'],
      ['more', 'more', 'application/octet-stream', 'hi'],
    ]);
  });

  test('cannot be given other parts or headers by a name', async () => {
    const file = { data: '', filename: 'a"\r\nX-Evil: 1\r\n\r\n--' };
    expect(await understood([FILE], { file })).toEqual([
      ['file', expect.stringContaining('X-Evil'), 'application/octet-stream', ''],
    ]);
  });

  test.each([
    ['no base64', 'a b'],
    ['cut base64', 'AAECA'],
    ['a list within', { data: ['x'] }],
    ['a media type of two lines', { data: '', mimeType: 'a/b\r\nX: 1' }],
    ['a long name', { data: '', filename: 'x'.repeat(256) }],
  ])('refuses a file that is %s', async (_, file) => {
    await expect(understood([FILE], { file })).rejects.toThrow(PlacementFault);
  });

  test('takes a file of millions of bytes', () => {
    const { body } = buildUpstreamRequest(binding({ bodyType: 'multipart', placements: [FILE] }), {
      file: Buffer.alloc(6_000_000).toString('base64'),
    });
    expect(body?.length).toBeGreaterThan(6_000_000);
  });
});

test('arguments that are cookies stand in one header, and none can end its own or begin another', () => {
  const cookies = ['lang', 'seen'].map((name) => ({ argument: name, in: 'cookie' as const, name }));
  const { headers } = buildUpstreamRequest(binding({ placements: cookies }), {
    lang: 'de; admin=1\r\nx: y',
    seen: true,
  });
  expect(headers['cookie']).toBe('lang=de%3B%20admin%3D1%0D%0Ax%3A%20y; seen=true');
  expect(buildUpstreamRequest(binding({ placements: cookies }), {}).headers).not.toHaveProperty('cookie');
});
