import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { until } from '#libs/testing';
import { startUpstream, type Upstream } from '../upstream.fixture.js';
import type { EgressRequest } from './egress-request.js';
import { EgressUnderTest, SECRET } from './egress.fixture.js';

const KEY = randomBytes(32).toString('base64');

describe('stale answers of egress', () => {
  let under: EgressUnderTest;
  let shaky: Upstream;
  let fails: 'no' | '500' | 'reset' | 'hang' = 'no';
  let cacheControl = '';
  let count = 0;

  beforeAll(async () => {
    under = await EgressUnderTest.start();
    shaky = await startUpstream((request, response) => {
      if (fails === 'hang') return;
      if (fails === 'reset') return void response.socket?.resetAndDestroy();
      if (fails === '500') return void response.writeHead(500).end('broken');
      if (request.url === '/404') return void response.writeHead(404).end('none');
      count += 1;
      response.writeHead(200, cacheControl === '' ? {} : { 'cache-control': cacheControl });
      response.end(`${request.url} ${count} ${request.headers['authorization'] ?? ''}`);
    });
  });
  beforeEach(async () => {
    await under.reset();
    fails = 'no';
    cacheControl = '';
    count = 0;
  });
  afterAll(() => Promise.all([under.close(), shaky.close()]));

  const READ_ONLY = { annotations: { readOnlyHint: true } };
  const staleAnswers = { key: KEY, maxAgeSeconds: { shop: 60 } };

  /** Asks the shaky upstream with a read-only tool of a server that lets old answers stand in. */
  function ask(path: string, extra: Partial<EgressRequest> = {}) {
    const url = `${shaky.origin}${path}`;
    return under.ask(url, {
      policy: under.policy(url, READ_ONLY),
      context: context(),
      timeoutMs: fails === 'hang' ? 400 : 15_000,
      ...extra,
    });
  }

  function context(extra: object = {}) {
    const allowances = [{ host: '127.0.0.1', port: shaky.port }];
    return under.context({ allowances, staleAnswers, ...extra });
  }

  it.each([
    ['500', 'server_error'],
    ['reset', 'broken_off'],
    ['hang', 'timeout'],
  ] as const)('stand in for an upstream that fails with %s', async (how, reason) => {
    await ask('/a');
    fails = how;
    expect(await ask('/a')).toMatchObject({
      kind: 'fetched',
      status: 200,
      body: Buffer.from('/a 1 '),
      stale: { reason, ageMs: expect.any(Number) },
    });
  });

  it('stand in while the breaker is open, and not once the upstream answers again', async () => {
    await under.reset({ breakerOpenMs: 1 });
    await ask('/a');
    fails = '500';
    for (let failure = 0; failure < 10; failure += 1) await ask('/a');
    fails = 'no';
    const result = await until(async () => {
      const answer = await ask('/a');
      return (answer.kind === 'failed' || answer.stale === undefined) && answer;
    }, 'an answer of its own');
    expect(result).toMatchObject({ kind: 'fetched', body: Buffer.from('/a 2 ') });
  });

  it('are the newest good ones', async () => {
    await ask('/a');
    await ask('/a');
    fails = '500';
    expect(await ask('/a')).toMatchObject({ body: Buffer.from('/a 2 '), stale: {} });
  });

  it.each<[string, Partial<EgressRequest>]>([
    ['arguments', {}],
    ['headers', { headers: { 'x-own': 'other' } }],
    ['a body', { body: Buffer.from('other') }],
    ['a release', { release: { digest: 'sha256:other', servers: ['shop'] } }],
    ['a tool', { tool: 'other' }],
    ['a tenant', { tenantId: 'twin' }],
    ['a method', { method: 'HEAD' }],
  ])('are none for another request: %s', async (what, extra) => {
    await ask('/a', { method: 'POST' });
    fails = '500';
    const result = await ask(what === 'arguments' ? '/b' : '/a', { method: 'POST', ...extra });
    expect(result).toMatchObject({ kind: 'fetched', status: 500 });
    expect(result).not.toHaveProperty('stale');
  });

  it('are none where the server does not allow them, the tool may change something, or they are too old', async () => {
    const url = `${shaky.origin}/a`;
    await ask('/a');
    fails = '500';
    const refusals: Array<Partial<EgressRequest>> = [
      { context: under.context({ allowances: [{ host: '127.0.0.1', port: shaky.port }] }) },
      { release: { digest: 'sha256:release', servers: ['other'] } },
      { release: { digest: 'sha256:release', servers: ['shop', 'other'] } },
      { policy: under.policy(url, { annotations: { idempotentHint: true } }) },
      { context: context({ staleAnswers: { key: KEY, maxAgeSeconds: { shop: 0 } } }) },
      { context: context({ staleAnswers: { key: randomBytes(32).toString('base64'), maxAgeSeconds: { shop: 60 } } }) },
    ];
    for (const refusal of refusals) expect(await ask('/a', refusal)).toMatchObject({ kind: 'fetched', status: 500 });
    expect(await ask('/a')).toMatchObject({ stale: {} });
  });

  it('are none after a credential was changed: they may be another account’s', async () => {
    const policy = under.policy(undefined, READ_ONLY);
    const ours = { policy, context: under.context({ staleAnswers }) };
    const good = await under.ask('/', ours);
    expect(good).toMatchObject({ kind: 'fetched', status: 200 });
    expect(JSON.stringify(good)).not.toContain(SECRET);
    for (let failure = 0; failure < 10; failure += 1) await under.ask('/garbage', ours);
    expect(await under.ask('/', ours)).toMatchObject({ stale: { reason: 'open' } });
    const changed = under.context({ staleAnswers, secrets: { 'api-key': 'another-account-0123456789' } });
    expect(await under.ask('/', { policy, context: changed })).toMatchObject({ kind: 'failed', reason: 'open' });
  });

  it('are none where the upstream answered with less than success, or asked that nobody keep it', async () => {
    await ask('/404');
    cacheControl = 'private, no-store';
    await ask('/a');
    fails = '500';
    expect(await ask('/404')).toMatchObject({ status: 500 });
    expect(await ask('/a')).toMatchObject({ status: 500 });
  });

  it('do not hide what the caller or the platform refused', async () => {
    await ask('/a');
    expect(await ask('/a', { context: context({ allowances: [] }) })).toMatchObject({ reason: 'blocked' });
    fails = 'hang';
    const controller = new AbortController();
    const left = ask('/a', { signal: controller.signal });
    controller.abort();
    expect(await left).toMatchObject({ reason: 'aborted' });
  });

  it('are forgotten with their tenant', async () => {
    await ask('/a');
    under.egress.forget('tenant');
    fails = '500';
    expect(await ask('/a')).toMatchObject({ status: 500 });
  });
});
