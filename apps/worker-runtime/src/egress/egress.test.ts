import { afterAll, beforeAll, beforeEach, afterEach, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import type { EgressContext, Manifest } from '#libs/protocol';
import { manifestOf, startUpstream, type Upstream } from '../worker-runtime.fixture.js';
import { EgressPolicy } from './egress-policy.js';
import { Egress, type EgressAnswer, type EgressRequest } from './egress.js';

const SECRET = 'canary-secret-0123456789';
const BOMB = gzipSync(Buffer.alloc(100 * 1024 * 1024));
const PUBLIC = 'https://public.example';

describe('egress', () => {
  let upstream: Upstream;
  let elsewhere: Upstream;
  let egress: Egress;
  let resolved: Record<string, readonly string[]>;

  beforeAll(async () => {
    upstream = await startUpstream((request, response) => answer(request.url ?? '', response, request.headers));
    elsewhere = await startUpstream((_request, response) => response.end('elsewhere'));
  });
  afterAll(() => Promise.all([upstream.close(), elsewhere.close()]));
  beforeEach(() => {
    resolved = {};
    upstream.seen.length = 0;
    elsewhere.seen.length = 0;
    egress = new Egress({ resolve: async (hostname) => resolved[hostname] ?? [] });
  });
  afterEach(() => egress.close());

  function answer(url: string, response: ServerResponse, headers: object): void {
    const target = new URLSearchParams(url.split('?')[1] ?? '').get('to') ?? '';
    switch (url.split('?')[0]) {
      case '/redirect':
        return void response.writeHead(302, { location: target }).end();
      case '/loop':
        return void response.writeHead(302, { location: '/loop' }).end();
      case '/large':
        return void sendLarge(response);
      case '/declared-large':
        return void response.writeHead(200, { 'content-length': 100 * 1024 * 1024 }).write('x');
      case '/bomb':
        return void response.writeHead(200, { 'content-encoding': 'gzip' }).end(BOMB);
      case '/brotli':
        return void response.writeHead(200, { 'content-encoding': 'br' }).end(brotliCompressSync('unpacked'));
      case '/bad-gzip':
        return void response.writeHead(200, { 'content-encoding': 'gzip' }).end('this is no gzip');
      case '/unknown-encoding':
        return void response.writeHead(200, { 'content-encoding': 'mystery' }).end('?');
      case '/headers':
        return void response.writeHead(200, { 'x-large': 'x'.repeat(100 * 1024) }).end();
      case '/garbage':
        return void response.socket?.end('this is not HTTP\r\n\r\n');
      case '/hang':
        return;
      case '/half':
        return void response.writeHead(200, { 'content-length': 100 }).write('half');
      case '/500':
        return void response.writeHead(500).end('broken');
      case '/404':
        return void response.writeHead(404).end('none');
      default:
        response.writeHead(200, { 'x-echo': JSON.stringify(headers), 'set-cookie': 'a=b' }).end(JSON.stringify({ url, headers }));
    }
  }

  const manifest = (): Manifest => {
    const made = manifestOf({ tool: `${upstream.origin}/x`, other: `${elsewhere.origin}/x`, public: `${PUBLIC}/x` });
    const key = { id: 'key', secret: 'api-key', in: 'header' as const, name: 'Authorization', prefix: 'Bearer ', origins: [upstream.origin] };
    const tools = made.tools.map((tool) => (tool.name === 'tool' ? { ...tool, http: { ...tool.http, credentials: ['key'] } } : tool));
    return { ...made, credentials: [key], tools };
  };
  const context = (extra: Partial<EgressContext> = {}): EgressContext => ({
    version: 'v1',
    secrets: { 'api-key': SECRET },
    allowances: [upstream, elsewhere].map(({ port }) => ({ host: '127.0.0.1', port })),
    ...extra,
  });
  const ask = (url: string, extra: Partial<EgressRequest> = {}): Promise<EgressAnswer> =>
    egress.fetch({
      tenantId: 'tenant',
      policy: EgressPolicy.read(Buffer.from(JSON.stringify(manifest()))),
      context: context(),
      tool: 'tool',
      method: 'GET',
      url: url.startsWith('/') ? `${upstream.origin}${url}` : url,
      headers: {},
      body: Buffer.alloc(0),
      timeoutMs: 10_000,
      signal: new AbortController().signal,
      ...extra,
    });
  const anyOrigin = (url: string): EgressPolicy => {
    const made = manifest();
    return EgressPolicy.read(Buffer.from(JSON.stringify({ ...made, origins: [...made.origins, new URL(url).origin] })));
  };

  it.each([
    'http://127.0.0.1:PORT/',
    'http://2130706433:PORT/',
    'http://0x7f000001:PORT/',
    'http://0177.0.0.1:PORT/',
    'http://127.1:PORT/',
    'http://0:PORT/',
    'http://[::ffff:127.0.0.1]:PORT/',
    'http://[::1]:PORT/',
    'http://169.254.169.254/latest/meta-data/',
    'http://[fd00:ec2::254]/latest/meta-data/',
    'http://loopback.example:PORT/',
    'http://mixed.example:PORT/',
    'http://mapped.example:PORT/',
    'http://[64:ff9b::7f00:1]:PORT/',
  ])('does not connect to %s, although the release names it', async (template) => {
    resolved = { 'loopback.example': ['127.0.0.1'], 'mixed.example': ['1.1.1.1', '127.0.0.1'], 'mapped.example': ['::ffff:127.0.0.1'] };
    const url = template.replace('PORT', String(upstream.port));
    const result = await ask(url, { policy: anyOrigin(url), context: context({ allowances: [] }) });
    expect(result).toMatchObject({ kind: 'failed', reason: 'blocked' });
    expect(upstream.seen).toEqual([]);
  });

  it('uses an allowance for its exact port only', async () => {
    const result = await ask('/', { context: context({ allowances: [{ host: '127.0.0.1', port: upstream.port + 1 }] }) });
    expect(result).toMatchObject({ kind: 'failed', reason: 'blocked' });
  });

  it("does not reuse another tenant's connection, nor one opened under an allowance that is gone", async () => {
    expect(await ask('/')).toMatchObject({ kind: 'fetched', status: 200 });
    expect(await ask('/', { tenantId: 'twin', context: context({ allowances: [] }) })).toMatchObject({ reason: 'blocked' });
    expect(await ask('/', { context: context({ allowances: [] }) })).toMatchObject({ reason: 'blocked' });
    expect(upstream.seen).toHaveLength(1);
  });

  it.each(['ftp://127.0.0.1/', 'file:///etc/passwd', 'http://user:password@127.0.0.1/', 'not a url', 'https://unlisted.example/'])('refuses %s', async (url) => {
    expect(await ask(url)).toMatchObject({ kind: 'failed', reason: 'blocked' });
  });

  it('adds a credential for its own origin and no other', async () => {
    await ask('/');
    await ask(`${elsewhere.origin}/`, { tool: 'tool' });
    expect(upstream.seen[0]?.headers['authorization']).toBe(`Bearer ${SECRET}`);
    expect(elsewhere.seen[0]?.headers['authorization']).toBeUndefined();
  });

  it('lets no runner set what egress sets', async () => {
    const headers = { Authorization: 'Bearer forged', Host: 'evil.example', Cookie: 'a=b', 'X-Forwarded-For': '1.1.1.1', 'Proxy-Authorization': 'x', 'X-Own': 'kept', 'bad name': 'x', 'x-split': 'a\r\nb: c' };
    await ask('/', { headers });
    const seen = upstream.seen[0]?.headers ?? {};
    expect(seen).toMatchObject({ authorization: `Bearer ${SECRET}`, host: new URL(upstream.origin).host, 'x-own': 'kept' });
    expect(Object.keys(seen)).not.toEqual(expect.arrayContaining(['cookie']));
    expect(seen['x-forwarded-for'] ?? seen['proxy-authorization'] ?? seen['x-split']).toBeUndefined();
  });

  it('takes the secret out of everything that comes back', async () => {
    const result = await ask('/');
    expect(upstream.seen[0]?.headers['authorization']).toContain(SECRET);
    if (result.kind !== 'fetched') throw new Error(result.message);
    expect(result.body.toString()).toContain('Bearer [redacted]');
    expect(`${result.body.toString()}${JSON.stringify(result.headers)}`).not.toContain(SECRET);
    expect(result.headers['set-cookie']).toBeUndefined();
  });

  it('names the secret to create when there is none', async () => {
    const result = await ask('/', { context: context({ secrets: {} }) });
    expect(result).toMatchObject({ reason: 'blocked', message: expect.stringContaining('PUT /v1/secrets/api-key') });
    expect(upstream.seen).toEqual([]);
  });

  it('follows a redirect to an origin of the release, without the credentials', async () => {
    const result = await ask(`/redirect?to=${encodeURIComponent(`${elsewhere.origin}/there`)}`, { headers: { 'x-own': 'private' } });
    expect(result).toMatchObject({ kind: 'fetched', status: 200, body: Buffer.from('elsewhere') });
    expect(elsewhere.seen[0]?.headers['authorization']).toBeUndefined();
    expect(elsewhere.seen[0]?.headers['x-own']).toBeUndefined();
  });

  it('does not follow a redirect to an origin that the release does not name', async () => {
    const result = await ask(`/redirect?to=${encodeURIComponent('http://169.254.169.254/latest/meta-data/')}`);
    expect(result).toMatchObject({ kind: 'fetched', status: 302 });
  });

  it('does not follow a redirect to a private address, although the release names it', async () => {
    const target = 'http://169.254.169.254/latest/meta-data/';
    const result = await ask(`/redirect?to=${encodeURIComponent(target)}`, { policy: anyOrigin(target) });
    expect(result).toMatchObject({ kind: 'failed', reason: 'blocked' });
  });

  it('does not follow redirects of a request that changes something', async () => {
    const result = await ask('/redirect?to=/x', { method: 'POST', body: Buffer.from('{}') });
    expect(result).toMatchObject({ kind: 'fetched', status: 302 });
    expect(upstream.seen).toHaveLength(1);
  });

  it('gives up a redirect loop after five redirects', async () => {
    expect(await ask('/loop')).toMatchObject({ kind: 'failed', reason: 'invalid_response' });
    expect(upstream.seen).toHaveLength(6);
  });

  it.each(['/large', '/declared-large', '/bomb', '/headers'])('stops reading %s at the limit', async (url) => {
    expect(await ask(url)).toMatchObject({ kind: 'failed', reason: 'too_large' });
  });

  it.each(['/bad-gzip', '/unknown-encoding', '/garbage'])('says that %s is no valid answer', async (url) => {
    expect(await ask(url)).toMatchObject({ kind: 'failed', reason: 'invalid_response' });
  });

  it('unpacks what it asked to be packed', async () => {
    expect(await ask('/brotli')).toMatchObject({ kind: 'fetched', body: Buffer.from('unpacked') });
  });

  it.each(['/hang', '/half'])('ends %s when its time is up', async (url) => {
    expect(await ask(url, { timeoutMs: 300 })).toMatchObject({ kind: 'failed', reason: 'timeout' });
  });

  it('ends a request that nobody waits for any more', async () => {
    const controller = new AbortController();
    const result = ask('/hang', { signal: controller.signal });
    await upstream.untilSeen('/hang');
    controller.abort();
    expect(await result).toMatchObject({ kind: 'failed', reason: 'aborted' });
  });

  it('says that nobody listens, or that the name does not resolve', async () => {
    const closed = await startUpstream(() => undefined);
    await closed.close();
    const url = `${closed.origin}/`;
    const allowed = context({ allowances: [{ host: '127.0.0.1', port: closed.port }] });
    expect(await ask(url, { policy: anyOrigin(url), context: allowed })).toMatchObject({ reason: 'connect', message: 'it refused the connection' });
    expect(await ask(`${PUBLIC}/`)).toMatchObject({ reason: 'connect', message: 'its name does not resolve' });
  });

  it('leaves an upstream alone after ten failures and says when it may be tried again', async () => {
    for (let failure = 0; failure < 10; failure += 1) expect(await ask('/500')).toMatchObject({ kind: 'fetched', status: 500 });
    const before = Date.now();
    const refused = await ask('/');
    expect(refused).toMatchObject({ kind: 'failed', reason: 'open', retryAtMs: expect.any(Number) });
    expect(refused.kind === 'failed' ? refused.retryAtMs : 0).toBeGreaterThan(before + 20_000);
    expect(upstream.seen).toHaveLength(10);
    expect(await ask('/', { tenantId: 'twin' })).toMatchObject({ kind: 'fetched', status: 200 });
  });

  it('does not hold answers of the 4xx kind against an upstream', async () => {
    for (let count = 0; count < 12; count += 1) await ask('/404');
    expect(await ask('/')).toMatchObject({ kind: 'fetched', status: 200 });
  });

  it('lets one request through after the breaker has rested, and closes it when that succeeds', async () => {
    await egress.close();
    egress = new Egress({ breakerOpenMs: 1 });
    for (let failure = 0; failure < 10; failure += 1) await ask('/500');
    let result = await ask('/');
    while (result.kind === 'failed') {
      await new Promise((resolve) => setImmediate(resolve));
      result = await ask('/');
    }
    expect(await ask('/')).toMatchObject({ kind: 'fetched', status: 200 });
  });

  it('bounds how many requests of a tenant are under way', async () => {
    const controller = new AbortController();
    const hanging = Array.from({ length: 64 }, () => ask('/hang', { signal: controller.signal }));
    expect(await ask('/')).toMatchObject({ kind: 'failed', reason: 'connect', message: expect.stringContaining('64') });
    expect(await ask('/', { tenantId: 'twin' })).toMatchObject({ kind: 'fetched' });
    controller.abort();
    await Promise.all(hanging);
  });
});

function sendLarge(response: ServerResponse): void {
  const chunk = randomBytes(1024 * 1024);
  response.writeHead(200);
  let left = 100;
  const more = (): void => {
    while (left > 0 && !response.destroyed) {
      left -= 1;
      if (!response.write(chunk)) return void response.once('drain', more);
    }
    response.end();
  };
  more();
}
