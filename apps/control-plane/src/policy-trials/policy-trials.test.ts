import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { appendAudit } from '#libs/audit';
import { newId } from '#libs/database';
import { startControlPlane, type ControlPlane, type TestTenant } from '../testing/control-plane.fixture.js';

let api: ControlPlane;
let tenant: TestTenant;
let other: TestTenant;

beforeAll(async () => {
  api = await startControlPlane();
  [tenant, other] = await Promise.all([api.newTenant(), api.newTenant()]);
  const { key } = tenant;
  const server = await api.send('POST', '/v1/servers', { key, body: { slug: 'orders', name: 'Orders' } });
  const release = newId();
  await api.control.asTenant(tenant.id, async (tx) => {
    const digest = `sha256:${'0'.repeat(64)}`;
    await tx.query(
      `insert into blobs (tenant_id, digest, media_type, bytes, content) values ($1, $2, 'application/json', 0, '')`,
      [tenant.id, digest],
    );
    await tx.query(
      `insert into releases (tenant_id, id, server_id, number, kind, digest, state, report, created_by, tools, tool_hints)
       values ($1, $2, $3, 1, 'http', $4, 'ready', '{}', '{}', '{"find": "read", "drop": "write"}', '{"drop": {"method": "DELETE"}}')`,
      [tenant.id, release, server.body.id, digest],
    );
    const called = (name: string, given?: object, from = release) => ({
      event: 'call.completed' as const,
      actor: { kind: 'person' as const, id: tenant.ownerId, client: 'c-1' },
      target: `server:${server.body.id}`,
      outcome: 'ok' as const,
      sourceAddress: '10.1.1.1',
      details: {
        method: 'tools/call',
        name,
        server: 'orders',
        era: 'modern' as const,
        release: { id: from, digest: 'd' },
        ...(given === undefined ? {} : { arguments: given }),
      },
    });
    const calls = [called('find'), called('drop', { id: 7 }), called('orders__drop'), called('drop', {}, newId())];
    await appendAudit(tx, tenant.id, calls);
  });
});

afterAll(() => api?.stop());

const trial = (body: object, { key } = tenant) => api.send('POST', '/v1/policies/dry-run', { key, body });

test.each([
  ['tool.destructive', { deny: 2, no_match: 1, unknown: 1 }],
  ['tool.name == "drop" && arguments.id > 5', { deny: 1, no_match: 1, unknown: 2 }],
  ['has(arguments.id)', { deny: 1, unknown: 3 }],
  ['tool.access == "write" && arguments.name == "x"', { error: 1, no_match: 1, unknown: 2 }],
  ['principal.role == "owner" && inNetwork(source.address, "10.0.0.0/8")', { deny: 3, unknown: 1 }],
  ['region == "eu"', { unknown: 4 }],
])('%s', async (expression, wanted) => {
  const { status, body } = await trial({ effect: 'deny', expression });
  const none = { allow: 0, deny: 0, require_approval: 0, no_match: 0, error: 0, unknown: 0 };
  expect([status, body.calls, body.outcomes]).toEqual([200, 4, { ...none, ...wanted }]);
  expect(body.examples).toHaveLength(4);
});

test('a trial is bounded, writes no rule, and sees nobody else’s calls', async () => {
  const rule = { effect: 'require_approval', expression: 'true' };
  expect((await trial({ ...rule, calls: 1 })).body.calls).toBe(1);
  expect((await trial(rule, other)).body).toMatchObject({ calls: 0, oldest: null, examples: [] });
  expect((await trial({ ...rule, expression: 'nonsense' })).body.errors).toMatchObject([{ pointer: '/expression' }]);
  expect(
    (await trial({ effect: 'deny', expression: 'client.id == "c-1"', scope: 'requests' })).body.outcomes.deny,
  ).toBe(4);
  expect((await api.send('GET', '/v1/policies', { key: tenant.key })).body.policies).toEqual([]);
});
