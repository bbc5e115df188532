import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { statSync } from 'node:fs';
import path from 'node:path';
import { Secret } from '#libs/config';
import { RuntimeClient } from '#libs/protocol';
import { startUpstream, type Upstream } from './upstream.fixture.js';
import {
  callOf,
  INITIALIZE,
  INTAKE_KEY,
  LEGACY_CALL,
  manifestOf,
  startRuntime,
  supplierOf,
  TenantUnderTest,
  toolCall,
  type RuntimeUnderTest,
} from './worker-runtime.fixture.js';

describe('worker-runtime', () => {
  let upstream: Upstream;
  let runtime: RuntimeUnderTest;
  let tenant: TenantUnderTest;
  let supplier: ReturnType<typeof supplierOf>;
  let client: RuntimeClient;

  beforeAll(async () => {
    upstream = await startUpstream((request, response) => {
      if (request.url?.startsWith('/hang') === true) return;
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ saw: request.url }));
    });
    runtime = await startRuntime();
    const allowances = [{ host: '127.0.0.1', port: upstream.port }];
    const manifest = manifestOf({ echo: `${upstream.origin}/echo`, hang: `${upstream.origin}/hang` });
    tenant = new TenantUnderTest(manifest, { allowances });
    supplier = supplierOf(tenant);
    client = await RuntimeClient.connect({ sockets: [runtime.socket], intakeKey: INTAKE_KEY, supplier });
  });

  afterAll(async () => {
    await client.close();
    await runtime.stop();
    await upstream.close();
  });

  const legacy = (sessionId: string, principal = 'person') => tenant.envelope({ era: 'legacy', sessionId, principal });
  const openSession = async (): Promise<string> => {
    const sessionId = randomUUID();
    expect(await callOf(client, legacy(sessionId), INITIALIZE)).toMatchObject({ outcome: 'ok' });
    return sessionId;
  };

  it('listens on a socket that only its own account may open', () => {
    expect(statSync(runtime.socket).mode & 0o777).toBe(0o600);
    expect(statSync(path.dirname(runtime.socket)).mode & 0o777).toBe(0o700);
  });

  it("runs a tool in the tenant's worker and brings back the upstream's answer", async () => {
    const ended = await callOf(client, tenant.envelope(), toolCall('echo', { text: 'hello' }));
    expect(ended).toMatchObject({ outcome: 'ok', upstreamMs: expect.any(Number), egressBytes: 26 });
    expect(ended.message).toContain('/echo?text=hello');
  });

  it('serves a session of the 2025 era from initialize to its end', async () => {
    const sessionId = await openSession();
    const ended = await callOf(client, legacy(sessionId), LEGACY_CALL);
    expect(ended.message).toContain('/echo?text=legacy');
    expect(await callOf(client, { ...legacy(sessionId), operation: 'close' }, '')).toMatchObject({ outcome: 'ok' });
    expect(await callOf(client, legacy(sessionId), LEGACY_CALL)).toMatchObject({
      failure: { code: 'session_not_found' },
    });
  });

  it("answers somebody else's use of a session like one that does not exist", async () => {
    const sessionId = await openSession();
    const stolen = await callOf(client, legacy(sessionId, 'thief'), LEGACY_CALL);
    const unknown = await callOf(client, legacy(randomUUID(), 'thief'), LEGACY_CALL);
    expect(stolen).toMatchObject({ failure: { code: 'session_not_found' } });
    expect(unknown).toMatchObject({ failure: { code: 'session_not_found' } });
    expect(await callOf(client, legacy(sessionId), LEGACY_CALL)).toMatchObject({ outcome: 'ok' });
  });

  it('asks for manifests and secrets once, however many calls arrive at the same time', async () => {
    const fresh = new TenantUnderTest(manifestOf({ echo: `${upstream.origin}/echo` }), tenant.context);
    const own = supplierOf(fresh);
    const other = await RuntimeClient.connect({ sockets: [runtime.socket], intakeKey: INTAKE_KEY, supplier: own });
    const ended = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        callOf(other, fresh.envelope(), toolCall('echo', { text: `call-${index}` })),
      ),
    );
    expect(ended.map(({ outcome }) => outcome)).toEqual(Array.from({ length: 20 }, () => 'ok'));
    expect(
      ended.every(({ message }, index) => message.includes(`call-${index}"`) || message.includes(`call-${index}\\"`)),
    ).toBe(true);
    expect(own.asked).toBe(1);
    await other.close();
  });

  it('asks for the secrets again when their version has changed, and not for the manifests', async () => {
    const before = supplier.asked;
    tenant.context = { ...tenant.context, version: 'v2' };
    expect(await callOf(client, tenant.envelope(), toolCall('echo'))).toMatchObject({ outcome: 'ok' });
    expect(await callOf(client, tenant.envelope(), toolCall('echo'))).toMatchObject({ outcome: 'ok' });
    expect(supplier.asked).toBe(before + 1);
  });

  it('refuses everything of a caller that has another key', async () => {
    const forger = await RuntimeClient.connect({
      sockets: [runtime.socket],
      intakeKey: new Secret('another key that nobody gave us at all'),
      supplier,
    });
    const seen = upstream.seen.length;
    expect(await callOf(forger, tenant.envelope(), toolCall('echo'))).toMatchObject({
      failure: { code: 'forbidden' },
      outcome: 'refused',
      started: false,
    });
    await expect(forger.evict(tenant.tenantId, 'stopped')).rejects.toMatchObject({ code: 'forbidden' });
    expect(upstream.seen).toHaveLength(seen);
    await forger.close();
  });

  it('refuses an envelope whose deadline has passed', async () => {
    const late = tenant.envelope({ deadlineMs: Date.now() - 1 });
    expect(await callOf(client, late, toolCall('echo'))).toMatchObject({
      failure: { code: 'deadline_exceeded' },
      outcome: 'deadline',
      started: false,
    });
  });

  it('refuses a route key that is not the key of its tenant and mounts', async () => {
    const envelope = tenant.envelope();
    const twisted = { ...envelope, route: { ...envelope.route, tenantId: randomUUID() } };
    const stranger = await RuntimeClient.connect({
      sockets: [runtime.socket],
      intakeKey: INTAKE_KEY,
      supplier: {
        supply: async () => ({ manifests: new Map([[tenant.digest, tenant.bytes]]), context: tenant.context }),
      },
    });
    expect(await callOf(stranger, twisted, toolCall('echo'))).toMatchObject({ failure: { code: 'forbidden' } });
    await stranger.close();
  });

  it('refuses a manifest that does not match its digest', async () => {
    const other = new TenantUnderTest(manifestOf({ other: `${upstream.origin}/other` }), tenant.context);
    const liar = {
      supply: async () => ({ manifests: new Map([[other.digest, tenant.bytes]]), context: other.context }),
    };
    const lying = await RuntimeClient.connect({ sockets: [runtime.socket], intakeKey: INTAKE_KEY, supplier: liar });
    expect(await callOf(lying, other.envelope(), toolCall('other'))).toMatchObject({ failure: { code: 'internal' } });
    await lying.close();
  });

  it('ends a call whose caller cancels it, and its upstream request too', async () => {
    const closed = new Promise<void>((resolve) => upstream.onceClosed(resolve));
    const ended = await callOf(
      client,
      tenant.envelope(),
      toolCall('hang'),
      (cancel) => void upstream.untilSeen('/hang').then(cancel),
    );
    expect(ended).toMatchObject({ outcome: 'cancelled' });
    await closed;
  });

  it('answers at the deadline when the upstream hangs', async () => {
    const ended = await callOf(client, tenant.envelope({ deadlineMs: Date.now() + 700 }), toolCall('hang'));
    expect(ended.outcome).toBe('tool_error');
    expect(ended.message).toContain('no complete answer');
  });

  it("uses a tenant's secret at the upstream only: no worker, no answer, no log line and no other tenant sees it", async () => {
    const secret = `canary-${randomUUID()}`;
    const plain = manifestOf({ echo: `${upstream.origin}/mirror` });
    const credentials = [
      { id: 'key', secret: 'api-key', in: 'query' as const, name: 'key', prefix: '', origins: [upstream.origin] },
    ];
    const tools = plain.tools.map((tool) => ({ ...tool, http: { ...tool.http, credentials: ['key'] } }));
    const manifest = { ...plain, credentials, tools };
    const owner = new TenantUnderTest(manifest, { ...tenant.context, secrets: { 'api-key': secret } });
    const twin = new TenantUnderTest(manifest, tenant.context);
    const both = await RuntimeClient.connect({
      sockets: [runtime.socket],
      intakeKey: INTAKE_KEY,
      supplier: supplierOf(owner, twin),
    });
    const [own, others] = await Promise.all([
      callOf(both, owner.envelope(), toolCall('echo')),
      callOf(both, twin.envelope(), toolCall('echo')),
    ]);
    expect(upstream.seen.filter(({ url }) => url === `/mirror?key=${secret}`)).toHaveLength(1);
    expect(own.message).toContain('/mirror?key=[redacted]');
    expect(others.message).toContain('PUT /v1/secrets/api-key');
    expect(`${own.message}${others.message}${runtime.logs()}`).not.toContain(secret);
    await both.close();
  });

  it('ends listening streams when it is told to stop, and lets calls finish', async () => {
    const stopping = await startRuntime();
    const own = await RuntimeClient.connect({ sockets: [stopping.socket], intakeKey: INTAKE_KEY, supplier });
    expect(await callOf(own, legacy('a-session'), INITIALIZE)).toMatchObject({ outcome: 'ok' });
    const listening = callOf(own, { ...legacy('a-session'), operation: 'listen' }, '');
    const asked = upstream.seen.filter(({ url }) => url.startsWith('/hang')).length;
    const call = callOf(own, tenant.envelope({ deadlineMs: Date.now() + 1_500 }), toolCall('hang'));
    await upstream.untilSeen('/hang', asked + 1);
    await Promise.all([stopping.stop(), expect(listening).resolves.toMatchObject({ outcome: 'cancelled' })]);
    expect((await call).message).toContain('no complete answer');
    await own.close();
  });

  it('says that it is unavailable while no runtime is connected', async () => {
    const alone = await RuntimeClient.connect({ sockets: [`${runtime.socket}.none`], intakeKey: INTAKE_KEY, supplier });
    expect(alone.ready).toBe(false);
    expect(await callOf(alone, tenant.envelope(), toolCall('echo'))).toMatchObject({
      failure: { code: 'unavailable' },
      started: false,
    });
    await alone.close();
  });
});
