import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Secret } from '#libs/config';
import { RuntimeClient, type BreakerChange } from '#libs/protocol';
import { until } from '#libs/testing';
import { startUpstream, type Upstream } from './upstream.fixture.js';
import {
  callOf,
  INTAKE_KEY,
  manifestOf,
  startRuntime,
  supplierOf,
  TenantUnderTest,
  toolCall,
  type RuntimeUnderTest,
} from './worker-runtime.fixture.js';

describe('how upstreams are doing', () => {
  let upstream: Upstream;
  let runtimes: RuntimeUnderTest[];
  let tenant: TenantUnderTest;
  let client: RuntimeClient;

  beforeAll(async () => {
    upstream = await startUpstream((_request, response) => response.writeHead(500).end());
    runtimes = [await startRuntime(), await startRuntime()];
    const allowances = [{ host: '127.0.0.1', port: upstream.port }];
    tenant = new TenantUnderTest(manifestOf({ broken: `${upstream.origin}/x` }), { allowances });
    client = await clientOf(INTAKE_KEY);
  });
  afterAll(async () => {
    await client.close();
    for (const runtime of runtimes) await runtime.stop();
    await upstream.close();
  });

  const clientOf = (intakeKey: Secret): Promise<RuntimeClient> =>
    RuntimeClient.connect({ sockets: runtimes.map(({ socket }) => socket), intakeKey, supplier: supplierOf(tenant) });

  it('is told by every runtime, for the tenant that asks', async () => {
    for (let call = 0; call < 10; call += 1) await callOf(client, tenant.envelope(), toolCall('broken'));
    const { seen, complete } = await client.upstreams(tenant.tenantId, [upstream.origin]);
    expect(complete).toBe(true);
    expect(seen.map(([state]) => state?.state).sort()).toEqual(['closed', 'open']);
    const twin = await client.upstreams('00000000-0000-4000-8000-000000000000', [upstream.origin]);
    expect(twin.seen).toEqual(
      [1, 2].map(() => [{ origin: upstream.origin, state: 'closed', requests: 0, failures: 0 }]),
    );
  });

  it('that a breaker has opened is told once, to whoever asks for all tenants', async () => {
    const changes: BreakerChange[] = [];
    await until(async () => changes.push(...(await client.breakerChanges())) > 0);
    const { tenantId } = tenant;
    expect(changes).toEqual([
      expect.objectContaining({ tenantId, origin: upstream.origin, state: 'open', lastError: 'server_error' }),
    ]);
    expect(changes[0]?.retryAtMs).toBeGreaterThan(changes[0]?.atMs ?? Infinity);
    expect(await client.breakerChanges()).toEqual([]);
  });

  it('is told to nobody who has another key', async () => {
    const forger = await clientOf(new Secret('another key that nobody gave us at all'));
    await expect(forger.upstreams(tenant.tenantId, [upstream.origin])).rejects.toMatchObject({ code: 'unavailable' });
    await forger.close();
  });

  it('is incomplete while a runtime is away, and unavailable while all are', async () => {
    await runtimes[0]?.stop();
    expect(await client.upstreams(tenant.tenantId, [upstream.origin])).toMatchObject({ complete: false });
    await runtimes[1]?.stop();
    await expect(client.upstreams(tenant.tenantId, [upstream.origin])).rejects.toMatchObject({ code: 'unavailable' });
  });
});
