import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { EgressUnderTest, SECRET } from './egress.fixture.js';

describe('egress', () => {
  let under: EgressUnderTest;

  beforeAll(async () => {
    under = await EgressUnderTest.start();
  });
  beforeEach(() => under.reset());
  afterAll(() => under.close());

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
    under.resolved = {
      'loopback.example': ['127.0.0.1'],
      'mixed.example': ['1.1.1.1', '127.0.0.1'],
      'mapped.example': ['::ffff:127.0.0.1'],
    };
    const url = template.replace('PORT', String(under.upstream.port));
    const result = await under.ask(url, { policy: under.policy(url), context: under.context({ allowances: [] }) });
    expect(result).toMatchObject({ kind: 'failed', reason: 'blocked' });
    expect(under.upstream.seen).toEqual([]);
  });

  it('uses an allowance for its exact port only', async () => {
    const result = await under.ask('/', {
      context: under.context({ allowances: [{ host: '127.0.0.1', port: under.upstream.port + 1 }] }),
    });
    expect(result).toMatchObject({ kind: 'failed', reason: 'blocked' });
  });

  it('reaches an address of an allowed range', async () => {
    const { port } = under.upstream;
    const ranges = (range: string) => ({ context: under.context({ allowances: [], ranges: [{ range, port }] }) });
    expect(await under.ask('/', ranges('127.0.0.0/30'))).toMatchObject({ kind: 'fetched', status: 200 });
    expect(await under.ask('/', ranges('127.0.1.0/24'))).toMatchObject({ kind: 'failed', reason: 'blocked' });
  });

  it('does not reach another port or scheme of a host that the release names', async () => {
    const { origin, port } = under.upstream;
    for (const url of [`${origin.replace(`:${port}`, `:${port + 1}`)}/`, `${origin.replace('http', 'https')}/`]) {
      expect(await under.ask(url)).toMatchObject({ reason: 'blocked', message: expect.stringContaining('not among') });
    }
    expect(under.upstream.seen).toEqual([]);
  });

  it('connects to the address it checked, whatever the name resolves to the next time', async () => {
    const answers = [['203.0.112.1'], ['127.0.0.1']];
    await under.reset({ resolve: async () => answers.shift() ?? ['127.0.0.1'] });
    const url = `http://rebinding.example:${under.upstream.port}/`;
    const result = await under.ask(url, { policy: under.policy(url), timeoutMs: 500 });
    expect(result.kind).toBe('failed');
    expect(await under.ask(url, { policy: under.policy(url) })).toMatchObject({ reason: 'blocked' });
    expect(under.upstream.seen).toEqual([]);
  });

  it("does not reuse another tenant's connection, nor one opened under an allowance that is gone", async () => {
    expect(await under.ask('/')).toMatchObject({ kind: 'fetched', status: 200 });
    expect(await under.ask('/', { tenantId: 'twin', context: under.context({ allowances: [] }) })).toMatchObject({
      reason: 'blocked',
    });
    expect(await under.ask('/', { context: under.context({ allowances: [] }) })).toMatchObject({ reason: 'blocked' });
    expect(under.upstream.seen).toHaveLength(1);
  });

  it.each([
    'ftp://127.0.0.1/',
    'file:///etc/passwd',
    'http://user:password@127.0.0.1/',
    'not a url',
    'https://unlisted.example/',
  ])('refuses %s', async (url) => {
    expect(await under.ask(url)).toMatchObject({ kind: 'failed', reason: 'blocked' });
  });

  it('adds a credential for its own origin and no other', async () => {
    await under.ask('/');
    await under.ask(`${under.elsewhere.origin}/`, { tool: 'tool' });
    expect(under.upstream.seen[0]?.headers['authorization']).toBe(`Bearer ${SECRET}`);
    expect(under.elsewhere.seen[0]?.headers['authorization']).toBeUndefined();
  });

  it('lets no runner set what egress sets', async () => {
    const headers = {
      Authorization: 'Bearer forged',
      Host: 'evil.example',
      Cookie: 'a=b',
      'X-Forwarded-For': '1.1.1.1',
      'Proxy-Authorization': 'x',
      'X-Own': 'kept',
      'bad name': 'x',
      'x-split': 'a\r\nb: c',
    };
    await under.ask('/', { headers });
    const seen = under.upstream.seen[0]?.headers ?? {};
    expect(seen).toMatchObject({
      authorization: `Bearer ${SECRET}`,
      host: new URL(under.upstream.origin).host,
      'x-own': 'kept',
      cookie: 'a=b', // an argument may be one
    });
    expect(seen['x-forwarded-for'] ?? seen['proxy-authorization'] ?? seen['x-split']).toBeUndefined();
  });

  it('takes the secret out of everything that comes back', async () => {
    const result = await under.ask('/');
    expect(under.upstream.seen[0]?.headers['authorization']).toContain(SECRET);
    if (result.kind !== 'fetched') throw new Error(result.message);
    expect(result.body.toString()).toContain('Bearer [redacted]');
    expect(`${result.body.toString()}${JSON.stringify(result.headers)}`).not.toContain(SECRET);
    expect(result.headers['set-cookie']).toBeUndefined();
  });

  it('names the secret to create when there is none', async () => {
    const result = await under.ask('/', { context: under.context({ secrets: {} }) });
    expect(result).toMatchObject({
      reason: 'no_credential',
      message: expect.stringContaining('PUT /v1/secrets/api-key'),
    });
    expect(under.upstream.seen).toEqual([]);
  });

  it('follows a redirect to an origin of the release, without the credentials', async () => {
    const result = await under.ask(`/redirect?to=${encodeURIComponent(`${under.elsewhere.origin}/there`)}`, {
      headers: { 'x-own': 'private' },
    });
    expect(result).toMatchObject({ kind: 'fetched', status: 200, body: Buffer.from('elsewhere') });
    expect(under.elsewhere.seen[0]?.headers['authorization']).toBeUndefined();
    expect(under.elsewhere.seen[0]?.headers['x-own']).toBeUndefined();
  });

  it('does not follow a redirect to an origin that the release does not name', async () => {
    const result = await under.ask(`/redirect?to=${encodeURIComponent('http://169.254.169.254/latest/meta-data/')}`);
    expect(result).toMatchObject({ kind: 'fetched', status: 302 });
  });

  it('does not follow a redirect to a private address, although the release names it', async () => {
    const target = 'http://169.254.169.254/latest/meta-data/';
    const result = await under.ask(`/redirect?to=${encodeURIComponent(target)}`, { policy: under.policy(target) });
    expect(result).toMatchObject({ kind: 'failed', reason: 'blocked' });
  });

  it('does not follow redirects of a request that changes something', async () => {
    const result = await under.ask('/redirect?to=/x', { method: 'POST', body: Buffer.from('{}') });
    expect(result).toMatchObject({ kind: 'fetched', status: 302 });
    expect(under.upstream.seen).toHaveLength(1);
  });

  it('gives up a redirect loop after five redirects', async () => {
    expect(await under.ask('/loop')).toMatchObject({ kind: 'failed', reason: 'invalid_response' });
    expect(under.upstream.seen).toHaveLength(6);
  });
});
