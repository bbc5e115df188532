import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { BreakerChange } from '#libs/protocol';
import { until } from '#libs/testing';
import { startUpstream } from '../upstream.fixture.js';
import { EgressUnderTest, PUBLIC } from './egress.fixture.js';

describe('limits of egress', () => {
  let under: EgressUnderTest;

  beforeAll(async () => {
    under = await EgressUnderTest.start();
  });
  beforeEach(() => under.reset());
  afterAll(() => under.close());

  it.each(['/large', '/declared-large', '/bomb', '/headers'])('stops reading %s at the limit', async (url) => {
    expect(await under.ask(url)).toMatchObject({ kind: 'failed', reason: 'too_large' });
  });

  it.each(['/bad-gzip', '/unknown-encoding', '/garbage'])('says that %s is no valid answer', async (url) => {
    expect(await under.ask(url)).toMatchObject({ kind: 'failed', reason: 'invalid_response' });
  });

  it.each(['/reset', '/cut', '/cut-chunk'])('never says of %s that nothing was sent', async (url) => {
    expect(await under.ask(url)).toMatchObject({ kind: 'failed', reason: 'broken_off' });
  });

  it('unpacks what it asked to be packed', async () => {
    expect(await under.ask('/brotli')).toMatchObject({ kind: 'fetched', body: Buffer.from('unpacked') });
  });

  it.each(['/hang', '/half', '/endless'])('ends %s when its time is up', async (url) => {
    expect(await under.ask(url, { timeoutMs: 300 })).toMatchObject({ kind: 'failed', reason: 'timeout' });
  });

  it("ends a request at its tool's own limit, whatever its runner asks for", async () => {
    const policy = under.policy(undefined, { timeoutMs: 200 });
    expect(await under.ask('/hang', { policy, timeoutMs: 600_000 })).toMatchObject({ reason: 'timeout' });
  });

  it('ends a request that nobody waits for any more', async () => {
    const controller = new AbortController();
    const result = under.ask('/hang', { signal: controller.signal });
    await under.upstream.untilSeen('/hang');
    controller.abort();
    expect(await result).toMatchObject({ kind: 'failed', reason: 'aborted' });
  });

  it('says that nobody listens, or that the name does not resolve', async () => {
    const closed = await startUpstream(() => undefined);
    await closed.close();
    const url = `${closed.origin}/`;
    const allowed = under.context({ allowances: [{ host: '127.0.0.1', port: closed.port }] });
    expect(await under.ask(url, { policy: under.policy(url), context: allowed })).toMatchObject({
      reason: 'connect',
      message: 'it refused the connection',
    });
    expect(await under.ask(`${PUBLIC}/`)).toMatchObject({ reason: 'connect', message: 'its name does not resolve' });
  });

  it('leaves an upstream alone after ten failures and says when it may be tried again', async () => {
    for (let failure = 0; failure < 10; failure += 1)
      expect(await under.ask('/500')).toMatchObject({ kind: 'fetched', status: 500 });
    const before = Date.now();
    const refused = await under.ask('/');
    expect(refused).toMatchObject({ kind: 'failed', reason: 'open', retryAtMs: expect.any(Number) });
    expect(refused.kind === 'failed' ? refused.retryAtMs : 0).toBeGreaterThan(before + 20_000);
    expect(under.upstream.seen).toHaveLength(10);
    expect(await under.ask('/', { tenantId: 'twin' })).toMatchObject({ kind: 'fetched', status: 200 });
  });

  it('tells once that a breaker has opened, however often a try fails, and that it has closed again', async () => {
    await under.reset({ breakerOpenMs: 1 });
    for (let failure = 0; failure < 10; failure += 1) await under.ask('/500');
    for (let failed = 0; failed < 3; failed += 1) await until(async () => (await under.ask('/500')).kind === 'fetched');
    await until(async () => (await under.ask('/')).kind === 'fetched');
    const heard: BreakerChange[] = [];
    await until(() => heard.push(...under.egress.breakerNews.take()) > 1);
    const of = { tenantId: 'tenant', origin: under.upstream.origin, release: 'sha256:release' };
    expect(heard).toEqual([
      { ...of, state: 'open', atMs: expect.any(Number), lastError: 'server_error', retryAtMs: expect.any(Number) },
      { ...of, state: 'closed', atMs: expect.any(Number) },
    ]);
  });

  it('asks an upstream nothing that an operator holds open, and anew once where the operator resets it', async () => {
    const { origin } = under.upstream;
    const until = Date.now() + 60_000;
    const held = under.context({ breakerOrders: [{ origin, openUntilMs: until }] });
    expect(await under.ask('/', { context: held })).toMatchObject({ reason: 'held', retryAtMs: until });
    expect(under.upstream.seen).toEqual([]);
    const reset = under.context({ breakerOrders: [{ origin, resetAtMs: 1 }] });
    for (let round = 0; round < 2; round += 1) {
      for (let failure = 0; failure < 10; failure += 1) await under.ask('/500');
      expect(await under.ask('/')).toMatchObject({ reason: 'open' });
      const told = under.egress.upstreams('tenant', ['*']);
      expect(told).toMatchObject([{ origin, state: 'open', failures: 10 }]);
      const again = await under.ask('/', { context: reset });
      expect(again).toMatchObject(round === 0 ? { status: 200 } : { reason: 'open' });
      under.egress.forget('tenant');
    }
    expect(under.egress.upstreams('twin', ['*'])).toEqual([]);
  });

  it('tells how an upstream is doing, to its own tenant only', async () => {
    const { origin } = under.upstream;
    const [before] = under.egress.upstreams('tenant', [origin]);
    expect(before).toEqual({ origin, state: 'closed', requests: 0, failures: 0 });
    await under.ask('/');
    for (let failure = 0; failure < 9; failure += 1) await under.ask('/garbage');
    const [open, never] = under.egress.upstreams('tenant', [origin, PUBLIC]);
    expect(open).toEqual({
      origin,
      release: 'sha256:release',
      state: 'open',
      requests: 10,
      failures: 9,
      retryAtMs: expect.any(Number),
      lastError: { reason: 'invalid_response', atMs: expect.any(Number) },
      lastSuccessAtMs: expect.any(Number),
    });
    expect(never).toMatchObject({ origin: PUBLIC, state: 'closed' });
    expect(under.egress.upstreams('twin', [origin])).toEqual([before]);
    under.egress.forget('tenant');
    expect(under.egress.upstreams('tenant', [origin])).toEqual([before]);
  });

  it('lets a release that breaks an upstream keep no other release from it', async () => {
    const candidate = { release: { digest: 'sha256:candidate', servers: ['shop'] } };
    for (let failure = 0; failure < 10; failure += 1) await under.ask('/500', candidate);
    expect(await under.ask('/', candidate)).toMatchObject({ kind: 'failed', reason: 'open' });
    expect(await under.ask('/')).toMatchObject({ kind: 'fetched', status: 200 });
    const states = under.egress.upstreams('tenant', [under.upstream.origin]);
    expect(states.map(({ state, requests }) => [state, requests])).toEqual([
      ['closed', 1],
      ['open', 10],
    ]);
  });

  it('keeps servers of one release apart: what staging does to an upstream keeps production from nothing', async () => {
    const staging = { release: { digest: 'sha256:release', servers: ['shop--staging'] } };
    for (let failure = 0; failure < 10; failure += 1) await under.ask('/500', staging);
    expect(await under.ask('/', staging)).toMatchObject({ kind: 'failed', reason: 'open' });
    expect(await under.ask('/')).toMatchObject({ kind: 'fetched', status: 200 });
  });

  it('tells of the releases of a server that are wanted, and of no other', async () => {
    const { origin } = under.upstream;
    const gone = { release: { digest: 'sha256:gone', servers: ['shop'] } };
    const staging = { release: { digest: 'sha256:release', servers: ['shop--staging'] } };
    for (let failure = 0; failure < 10; failure += 1)
      await Promise.all([under.ask('/500', gone), under.ask('/500', staging)]);
    await under.ask('/');
    const told = (releases: string[]) =>
      under.egress.upstreams('tenant', [origin], { server: 'shop', releases }).map(({ state }) => state);
    expect(told(['sha256:release'])).toEqual(['closed']);
    expect(told(['sha256:release', 'sha256:gone']).toSorted()).toEqual(['closed', 'open']);
    expect(told(['sha256:new'])).toEqual(['closed']);
  });

  it('lets a tenant with many releases lose none but its own breakers', async () => {
    for (let failure = 0; failure < 10; failure += 1) await under.ask('/500', { tenantId: 'twin' });
    for (let failure = 0; failure < 10; failure += 1) await under.ask('/500');
    for (let release = 0; release < 200; release += 1)
      await under.ask('/', { release: { digest: `sha256:${release}`, servers: ['shop'] } });
    expect(await under.ask('/')).toMatchObject({ kind: 'fetched', status: 200 });
    expect(await under.ask('/', { tenantId: 'twin' })).toMatchObject({ kind: 'failed', reason: 'open' });
  });

  it('opens the breaker of each release where the upstream fails for both', async () => {
    const candidate = { release: { digest: 'sha256:candidate', servers: ['shop'] } };
    for (let failure = 0; failure < 10; failure += 1)
      await Promise.all([under.ask('/500'), under.ask('/500', candidate)]);
    for (const asked of [under.ask('/'), under.ask('/', candidate)])
      expect(await asked).toMatchObject({ kind: 'failed', reason: 'open' });
  });

  it('keeps leaving an upstream alone when nobody waited for the call that tried it', async () => {
    await under.reset({ breakerOpenMs: 1 });
    for (let failure = 0; failure < 10; failure += 1) await under.ask('/500');
    await until(() => under.egress.upstreams('tenant', [under.upstream.origin])[0]?.state === 'half-open');
    const controller = new AbortController();
    const probe = under.ask('/hang', { signal: controller.signal });
    await under.upstream.untilSeen('/hang');
    expect(await under.ask('/')).toMatchObject({ reason: 'open' });
    controller.abort();
    expect(await probe).toMatchObject({ reason: 'aborted' });
    expect(under.egress.upstreams('tenant', [under.upstream.origin])[0]?.state).not.toBe('closed');
  });

  it('does not hold answers of the 4xx kind against an upstream', async () => {
    for (let count = 0; count < 12; count += 1) await under.ask('/404');
    expect(await under.ask('/')).toMatchObject({ kind: 'fetched', status: 200 });
  });

  it('lets one request through after the breaker has rested, and closes it when that succeeds', async () => {
    await under.reset({ breakerOpenMs: 1 });
    for (let failure = 0; failure < 10; failure += 1) await under.ask('/500');
    await until(async () => (await under.ask('/')).kind === 'fetched', 'the upstream is asked again');
    expect(await under.ask('/')).toMatchObject({ kind: 'fetched', status: 200 });
  });

  it('bounds how many requests of a tenant are under way', async () => {
    const controller = new AbortController();
    const hanging = Array.from({ length: 64 }, () => under.ask('/hang', { signal: controller.signal }));
    expect(await under.ask('/')).toMatchObject({
      kind: 'failed',
      reason: 'busy',
      message: expect.stringContaining('64'),
    });
    expect(await under.ask('/', { tenantId: 'twin' })).toMatchObject({ kind: 'fetched' });
    controller.abort();
    await Promise.all(hanging);
  });
});
