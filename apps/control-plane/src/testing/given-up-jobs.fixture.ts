import { Client } from 'pg';
import { newId } from '#libs/database';
import type { ControlPlane, TestTenant } from './control-plane.fixture.js';

/** A job of a tenant that was given up; its id. */
export async function givenUpJob(api: ControlPlane, { id: tenantId }: TestTenant): Promise<string> {
  const id = newId();
  const owner = new Client({ connectionString: api.databaseUrl });
  await owner.connect();
  await owner.query(
    `insert into outbox (tenant_id, id, queue, name, payload, attempts_max, dispatched_at, completed_at, failure)
     values ($1, $2, 'tenants', 'evict-tenant', $3, 5, now(), now(), 'It would not.')`,
    [tenantId, id, JSON.stringify({ tenantId, note: 'SECRET-CANARY' })],
  );
  await owner.end();
  return id;
}
