import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createLogger } from '#libs/telemetry';
import type { RedisStore } from '#libs/redis';
import { connectTestRedis, testRedis } from '#libs/testing';
import { sourceOf } from '../edge/source.js';
import { startControlPlane, type ControlPlane } from '../testing/control-plane.fixture.js';
import { AttemptLimiter } from './attempt-limiter.js';

const logger = createLogger('test', 'silent');

test.each([
  ['203.0.113.9', '203.0.113.9'],
  ['::ffff:203.0.113.9', '203.0.113.9'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8:1:2::9', '2001:db8:1:2::/64'],
  ['not an address', 'unknown'],
])('%s counts as %s', (address, source) => expect(sourceOf(address)).toBe(source));

describe.each(['with Redis', 'without Redis'])('%s', (kind) => {
  let redis: RedisStore;

  beforeAll(async () => {
    const { redisUrl } = await testRedis();
    redis = await connectTestRedis(kind === 'with Redis' ? redisUrl : 'redis://127.0.0.1:9');
  });

  afterAll(() => redis.disconnect());

  test('the attempt beyond the limit is refused, with the time to wait, for its own subject only', async () => {
    const limiter = new AttemptLimiter(redis, logger);
    for (let attempt = 0; attempt < 3; attempt += 1) await limiter.count('sign-up', 'a', 3);
    await expect(limiter.count('sign-up', 'a', 3)).rejects.toMatchObject({ code: 'rate_limited', status: 429 });
    await expect(limiter.count('sign-up', 'b', 3)).resolves.toBeUndefined();
    const refusal = await limiter.count('sign-up', 'a', 3).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ retryAfterSeconds: expect.any(Number) });
  });
});

describe('signing up', () => {
  let api: ControlPlane;

  beforeAll(async () => {
    api = await startControlPlane({ environment: { WHARF_SIGNUPS_PER_HOUR: '2', WHARF_TRUST_PROXY: 'true' } });
  });

  afterAll(() => api.stop());

  const attempt = (from: string, email = 'a@example.com') =>
    api.send('POST', '/v1/signup', {
      headers: { 'x-forwarded-for': from },
      body: { tenant_name: 'T', slug: 'admins-club', email, password: 'correct horse battery' },
    });

  test('is limited for each address, and what a client writes before our balancer’s entry is not believed', async () => {
    const statuses = [];
    for (const spoofed of ['1.1.1.1', '2.2.2.2', '3.3.3.3'])
      statuses.push((await attempt(`${spoofed}, 203.0.113.7`)).status);
    expect(statuses).toEqual([201, 409, 429]);
    const refused = await attempt('203.0.113.7', 'b@example.com');
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(3_000);
    expect(refused.headers.get('ratelimit-policy')).toBe('"attempts_per_hour";q=2;w=3600');
    expect((await attempt('203.0.113.8', 'b@example.com')).status).toBe(409);
  });

  test('is limited for each network and invitation, and the form says in its headers when to come again', async () => {
    const submit = () =>
      api.send('POST', `/v1/invitations/acceptance/wiv_${'x'.repeat(65)}`, {
        headers: { 'x-forwarded-for': '203.0.113.77', 'content-type': 'application/x-www-form-urlencoded' },
        body: 'password=correct+horse+battery',
      });
    expect([(await submit()).status, (await submit()).status]).toEqual([404, 404]);
    const { status, headers } = await submit();
    expect([status, headers.get('content-type')]).toEqual([429, 'text/html; charset=utf-8']);
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(3_000);
    expect(headers.get('ratelimit-policy')).toBe('"attempts_per_hour";q=2;w=3600');
  });

  test('is limited for each e-mail address, so that many addresses cannot guess its password', async () => {
    const statuses = [];
    for (const from of ['198.51.100.1', '198.51.100.2', '198.51.100.3']) {
      statuses.push((await attempt(from, 'victim@example.com')).status);
    }
    expect(statuses).toEqual([409, 409, 429]);
  });
});
