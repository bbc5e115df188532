import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { startControlPlane, type ControlPlane, type TestTenant } from '../testing/control-plane.fixture.js';
import { quantileOf } from './quantile.js';

describe('a quantile of counts by bucket', () => {
  test('is nothing without values, and linear within its bucket', () => {
    expect(quantileOf(0.95, [0, 0, 0], [1, 2])).toBeNull();
    expect(quantileOf(0.5, [0, 10, 0], [1, 2])).toBeCloseTo(1.5);
    expect(quantileOf(0.95, [0, 0, 10], [1, 2])).toBe(2);
  });
});

describe('GET /v1/metrics/summary', () => {
  let api: ControlPlane;
  let own: TestTenant;
  let twin: TestTenant;

  beforeAll(async () => {
    api = await startControlPlane();
    [own, twin] = [await api.newTenant(), await api.newTenant()];
    const buckets = `'{0,0,0,0,0,8,0,0,0,0,0,2,0,0,0,0}'`;
    const minutes = `date_trunc('minute', now())`;
    const client = new Client({ connectionString: api.databaseUrl });
    await client.connect();
    for (const [id, server] of [
      [own.id, 'own-canary'],
      [twin.id, 'twin-canary'],
    ])
      await client.query(
        `insert into call_rollups (tenant_id, minute, server, tool, calls, tool_errors, failures, invalid_arguments, corrections, buckets)
         values ($1, ${minutes}, $2, 'find', 10, 1, 1, 2, 1, ${buckets}),
                ($1, ${minutes} - interval '2 days', $2, 'find', 90, 0, 0, 0, 0, ${buckets})`,
        [id, server],
      );
    await client.end();
  });
  afterAll(() => api.stop());

  test('sums up the tenant’s own calls in all, by server and by tool, and nobody else’s', async () => {
    const { status, body } = await api.send('GET', '/v1/metrics/summary', { key: own.key });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      window: '1h',
      total: { calls: 10, tool_errors: 1, failures: 1, error_ratio: 0.2, hallucination_ratio: 0.2, corrections: 1 },
      servers: [{ server: 'own-canary', calls: 10 }],
      tools: [{ server: 'own-canary', tool: 'find', calls: 10 }],
    });
    expect(JSON.stringify(body)).not.toContain('twin-canary');
    const { total } = body as { total: { p50_seconds: number; p95_seconds: number } };
    expect(total.p50_seconds).toBeCloseTo(0.0406, 3);
    expect(total.p95_seconds).toBeCloseTo(4.25);
  });

  test('reaches as far back as it is asked to, and narrows to a server and a tool', async () => {
    const calls = async (query: string): Promise<unknown> => {
      const { body } = await api.send('GET', `/v1/metrics/summary?${query}`, { key: own.key });
      return (body as { total: { calls: number } }).total.calls;
    };
    expect(await calls('window=7d')).toBe(100);
    expect(await calls('server=own-canary&tool=find')).toBe(10);
    expect(await calls('server=twin-canary')).toBe(0);
    expect(await calls('tool=lose')).toBe(0);
  });

  test('refuses a window that it does not know', async () => {
    const { status } = await api.send('GET', '/v1/metrics/summary?window=99y', { key: own.key });
    expect(status).toBe(400);
  });
});
