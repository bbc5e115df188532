import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newId } from '#libs/database';
import { enqueue, evictTenantJob } from '#libs/jobs';
import { routeKey, sha256Digest, type Envelope } from '#libs/protocol';
import { contextVersion } from '#libs/supply';
import { createLogger } from '#libs/telemetry';
import { JobRunner } from '../jobs/job-runner.js';
import { manifestOf, openWorkplace, type TestServer, type Workplace } from '../workplace.fixture.js';
import { EvictTenant } from './evict-tenant.js';

let place: Workplace;
let runner: JobRunner;

beforeAll(async () => {
  place = await openWorkplace();
  runner = new JobRunner(
    place.background,
    [new EvictTenant(place.background, place.client)],
    createLogger('background', 'silent'),
  );
});

afterAll(() => place.close());

/** Sends one message of a session to the tenant's worker; the answer's text, or the code of the failure. */
async function send(server: TestServer, sessionId: string, message: unknown): Promise<string> {
  const mounts = [
    { serverSlug: 'shop', releaseId: server.serverId, digest: sha256Digest(manifestOf('one')), prefix: '' },
  ];
  const envelope: Envelope = {
    route: { tenantId: server.tenantId, mounts, key: routeKey(server.tenantId, mounts) },
    era: 'legacy',
    operation: 'message',
    sessionId,
    principal: 'api-key|test',
    deadlineMs: Date.now() + 20_000,
    contextVersion: await place.background.asTenant(server.tenantId, (tx) => contextVersion(tx, server.tenantId)),
  };
  return new Promise((resolve) => {
    place.client.call(envelope, Buffer.from(JSON.stringify(message)), {
      onPart: () => {},
      onDone: (answer) => resolve(answer.toString()),
      onFail: (failure) => resolve(failure.code),
    });
  });
}

/** A tenant whose worker holds an open session. */
async function withSession(): Promise<{ server: TestServer; ping: () => Promise<string> }> {
  const server = await place.newServer();
  await place.newRelease(server, manifestOf('one'));
  const sessionId = newId();
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } };
  expect(await send(server, sessionId, { jsonrpc: '2.0', id: 1, method: 'initialize', params })).toContain(
    '"serverInfo"',
  );
  return { server, ping: () => send(server, sessionId, { jsonrpc: '2.0', id: 2, method: 'ping' }) };
}

async function evict({ tenantId }: TestServer): Promise<string> {
  const id = await place.control.asTenant(tenantId, (tx) => enqueue(tx, tenantId, evictTenantJob, { tenantId }));
  return (await runner.run({ tenantId, id }, 'more-left')).outcome;
}

test('the workers of a suspended tenant stop, with their sessions, and no other tenant’s do', async () => {
  const [suspended, other] = [await withSession(), await withSession()];
  await place.suspend(suspended.server.tenantId);
  expect(await evict(suspended.server)).toBe('done');
  expect(await suspended.ping()).toBe('session_not_found');
  expect(await other.ping()).toContain('"result"');
});

test('a tenant that was resumed before the job ran keeps its workers', async () => {
  const { server, ping } = await withSession();
  expect(await evict(server)).toBe('done');
  expect(await ping()).toContain('"result"');
});
