import { Database, newId } from '#libs/database';
import { TenantVault } from '#libs/secrets';
import type { ControlPlane, TestTenant } from './control-plane.fixture.js';
import type { MakeExample } from './example.fixture.js';

/** Always the same: a tenant has but a few. */
const path = '/v1/policies/canary';
const body = { effect: 'deny', expression: 'tool.name == "canary"' };

async function written(api: ControlPlane, { key }: TestTenant): Promise<string> {
  const { status, text } = await api.send('PUT', path, { key, body });
  if (status !== 200) throw new Error(text);
  return path;
}

/** A call of a tool that waits, as a gateway writes it; `requester` is a person unless it is said. */
export async function waitingApproval(
  api: Pick<ControlPlane, 'databaseUrl' | 'masterKey'>,
  { id: tenantId }: TestTenant,
  requester: object = { kind: 'person', id: newId() },
): Promise<string> {
  const { databaseUrl, masterKey } = api;
  const gateway = await Database.connect({ databaseUrl, masterKey, role: 'wharf_gateway', poolSize: 1 });
  const id = newId();
  await gateway.asTenant(tenantId, async (tx) => {
    const vault = new TenantVault(masterKey);
    const { dataKeyId, ciphertext } = await vault.seal(tx, tenantId, `approval:${id}`, '{"order":"CANARY"}');
    await tx.query(
      `insert into approvals (tenant_id, id, digest, state, rule, requester, server, tool, data_key_id,
         sealed_arguments, valid_seconds, self_approval, expires_at)
       values ($1, $2::uuid, $2::uuid::text, 'pending', 'policy:canary', $3, 'orders', 'delete_order', $4, $5, 900, false,
         now() + interval '15 minutes')`,
      [tenantId, id, JSON.stringify(requester), dataKeyId, ciphertext],
    );
  });
  await gateway.close();
  return id;
}

const approvalAt =
  (end: string): MakeExample =>
  async (api, tenant) => ({ path: `/v1/approvals/${await waitingApproval(api, tenant)}${end}`, status: 200 });

/** Good requests about rules on calls, and about calls that wait. */
export const POLICY_EXAMPLES: Readonly<Record<string, MakeExample>> = {
  'GET /v1/policies': () => ({ path: '/v1/policies', status: 200 }),
  'GET /v1/policies/{name}': async (api, tenant) => ({ path: await written(api, tenant), status: 200 }),
  'PUT /v1/policies/{name}': () => ({ path, status: 200, body }),
  'DELETE /v1/policies/{name}': async (api, tenant) => ({ path: await written(api, tenant), status: 204 }),
  'POST /v1/policies/dry-run': () => ({ path: '/v1/policies/dry-run', status: 200, body }),
  'GET /v1/approvals': () => ({ path: '/v1/approvals', status: 200 }),
  'GET /v1/approvals/{approval}': approvalAt(''),
  'POST /v1/approvals/{approval}/approve': approvalAt('/approve'),
  'POST /v1/approvals/{approval}/refuse': approvalAt('/refuse'),
};
