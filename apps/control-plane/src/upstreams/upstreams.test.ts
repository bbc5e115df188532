import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startControlPlane, type ControlPlane, type TestTenant } from '../testing/control-plane.fixture.js';
import { serverCalling } from '../testing/live-release.fixture.js';
import { mergedUpstream, upstreamOfBoth } from './merged-upstream.js';

const ORIGIN = 'https://api.example.com';

describe('an upstream as several runtimes see it', () => {
  test('that nobody has called is closed', () => {
    expect(mergedUpstream(ORIGIN, [])).toEqual({
      origin: ORIGIN,
      state: 'closed',
      requests: 0,
      failures: 0,
      next_try: null,
      last_error: null,
      last_success: null,
    });
  });

  test('is in the gravest of its states, with sums, and what happened last', () => {
    const common = { origin: ORIGIN, requests: 10, failures: 5 };
    const at = (second: number) => Date.UTC(2026, 0, 1, 0, 0, second);
    const merged = mergedUpstream(ORIGIN, [
      { ...common, state: 'closed', lastSuccessAtMs: at(9) },
      {
        ...common,
        state: 'open',
        retryAtMs: at(40),
        lastError: { reason: 'timeout', atMs: at(5) },
        lastSuccessAtMs: at(1),
      },
      { ...common, state: 'half-open', retryAtMs: at(30), lastError: { reason: 'connect', atMs: at(7) } },
    ]);
    expect(merged).toEqual({
      origin: ORIGIN,
      state: 'open',
      requests: 30,
      failures: 15,
      next_try: '2026-01-01T00:00:40.000Z',
      last_error: { class: 'connect', at: '2026-01-01T00:00:07.000Z' },
      last_success: '2026-01-01T00:00:09.000Z',
    });
  });
});

test('a candidate’s upstream is shown beside the live release’s, and what belongs to none counts as the live one’s', () => {
  const closed = { origin: ORIGIN, state: 'closed', requests: 2, failures: 0 } as const;
  const open = { origin: ORIGIN, state: 'open', requests: 10, failures: 9, retryAtMs: Date.UTC(2026, 0, 1) } as const;
  const seen = [
    closed,
    { ...closed, release: 'live' },
    { ...open, release: 'next' },
    { ...open, origin: 'http://a.test' },
  ];
  const both = upstreamOfBoth(ORIGIN, 'next', seen);
  expect(both).toMatchObject({ origin: ORIGIN, state: 'closed', requests: 4, next_try: null });
  expect(both.candidate).toMatchObject({ state: 'open', requests: 10, failures: 9 });
  expect(upstreamOfBoth(ORIGIN, undefined, [closed]).candidate).toBeNull();
});

describe('GET /v1/servers/{server}/upstreams', () => {
  let api: ControlPlane;
  let tenant: TestTenant;

  beforeAll(async () => {
    api = await startControlPlane();
    tenant = await api.newTenant();
    await api.send('POST', '/v1/servers', { key: tenant.key, body: { slug: 'empty', name: 'Empty' } });
  });
  afterAll(() => api.stop());

  test('shows none while nothing is published', async () => {
    const answer = await api.send('GET', '/v1/servers/empty/upstreams', { key: tenant.key });
    expect([answer.status, answer.body]).toEqual([200, { upstreams: [], next_cursor: null, complete: true }]);
  });

  test('is unavailable, and says so, while no worker-runtime answers', async () => {
    await serverCalling(api, tenant, 'orders', [ORIGIN]);
    const answer = await api.send('GET', '/v1/servers/orders/upstreams', { key: tenant.key });
    expect([answer.status, answer.body.code, answer.headers.get('retry-after')]).toEqual([503, 'unavailable', '1']);
  });
});
