import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startUpstream } from '../upstream.fixture.js';
import type { EgressRequest } from './egress-request.js';
import { EgressUnderTest, PUBLIC } from './egress.fixture.js';

const BODY = Buffer.from('{}');

describe('retries of egress', () => {
  let under: EgressUnderTest;

  beforeAll(async () => {
    under = await EgressUnderTest.start();
  });
  beforeEach(() => under.reset());
  afterAll(() => under.close());

  /** How often the upstream was asked for one call. */
  async function attempts(url: string, extra: Partial<EgressRequest> = {}): Promise<number> {
    await under.ask(url, extra);
    return under.upstream.seen.length;
  }

  it.each(['/503', '/reset'])('asks %s once more for GET', async (url) => {
    expect(await attempts(url)).toBeGreaterThan(1);
  });

  it.each(['/503', '/reset'])('asks %s once more for a tool that says it is idempotent', async (url) => {
    const policy = under.policy(undefined, { annotations: { idempotentHint: true } });
    expect(await attempts(url, { method: 'POST', body: BODY, policy })).toBeGreaterThan(1);
  });

  it.each(['/503', '/reset'])('asks %s once only where running twice may do harm', async (url) => {
    expect(await attempts(url, { method: 'POST', body: BODY })).toBe(1);
  });

  it.each(['/404', '/500', '/garbage'])('asks %s once only', async (url) => {
    expect(await attempts(url)).toBe(1);
  });

  it('makes any call again when nothing of it was sent', async () => {
    let asked = 0;
    await under.reset({
      resolve: async () => {
        asked += 1;
        throw Object.assign(new Error('try again'), { code: 'ESERVFAIL' });
      },
    });
    expect(await under.ask(`${PUBLIC}/`, { method: 'POST', body: BODY })).toMatchObject({
      reason: 'connect',
      message: 'its name cannot be resolved for the moment',
    });
    expect(asked).toBeGreaterThan(1);
  });

  it('brings the answer of the attempt that succeeds', async () => {
    let asked = 0;
    const shaky = await startUpstream((_request, response) => {
      asked += 1;
      response.writeHead(asked === 1 ? 503 : 200).end(`attempt ${asked}`);
    });
    const url = `${shaky.origin}/`;
    const context = under.context({ allowances: [{ host: '127.0.0.1', port: shaky.port }] });
    expect(await under.ask(url, { policy: under.policy(url), context })).toMatchObject({
      status: 200,
      body: Buffer.from('attempt 2'),
    });
    await shaky.close();
  });

  it('waits as long as the upstream asks for', async () => {
    expect(await attempts('/503?to=1', { timeoutMs: 900 })).toBe(1);
    under.upstream.seen.length = 0;
    expect(await attempts('/503?to=1', { timeoutMs: 1_900 })).toBe(2);
  });

  it('does not wait past its deadline, and answers with what came', async () => {
    const result = await under.ask('/503?to=60', { timeoutMs: 2_000 });
    expect(result).toMatchObject({ kind: 'fetched', status: 503, headers: { 'retry-after': '60' } });
    expect(under.upstream.seen).toHaveLength(1);
  });

  it('reads a date in Retry-After', async () => {
    const date = encodeURIComponent(new Date(Date.now() + 3_600_000).toUTCString());
    expect(await attempts(`/503?to=${date}`)).toBe(1);
    under.upstream.seen.length = 0;
    expect(await attempts(`/503?to=${encodeURIComponent(new Date(0).toUTCString())}`)).toBeGreaterThan(1);
  });

  it('stops when its caller leaves while it waits', async () => {
    const controller = new AbortController();
    const result = under.ask('/503?to=3', { signal: controller.signal });
    await under.upstream.untilSeen('/503');
    controller.abort();
    expect(await result).toMatchObject({ kind: 'failed', reason: 'aborted' });
    expect(under.upstream.seen).toHaveLength(1);
  });

  it('does not multiply the calls of an upstream that is down', async () => {
    await Promise.all(Array.from({ length: 40 }, () => under.ask('/503')));
    // 40 calls earn four retries, and one more is there from the start; seconds that pass may add a few.
    expect(under.upstream.seen.length).toBeLessThanOrEqual(40 + 10);
  });
});
