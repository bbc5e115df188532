import { Client } from 'pg';
import { leafHash } from '#libs/audit';
import { newId } from '#libs/database';
import type { ControlPlane, TestTenant } from './control-plane.fixture.js';

/** A log of one record, as the background service would leave it; gives the record's id. A tenant can have it once. */
export async function withLoggedRecord(api: ControlPlane, tenant: TestTenant): Promise<string> {
  const owner = new Client({ connectionString: api.databaseUrl });
  await owner.connect();
  const found = await owner.query(`select id from audit_log where tenant_id = $1`, [tenant.id]);
  const id: string = found.rows[0]?.id ?? newId();
  if (found.rows.length === 0) {
    const hash = leafHash('CANARY-A');
    const of = [tenant.id];
    await owner.query(
      `insert into audit_log (tenant_id, id, leaf_index, at, event, actor, target, outcome, details)
       values ($1, $2, 0, now(), 'server.created', '{"kind":"system","id":"x"}', 'server:CANARY-A', 'ok', '{}')`,
      [...of, id],
    );
    await owner.query(`insert into audit_trees (tenant_id, size, checkpoint_size) values ($1, 1, 1)`, of);
    await owner.query(
      `insert into audit_archives (tenant_id, first_leaf, end_leaf, digest, bytes, content) values ($1, 77, 78, $2, 8, 'CANARY-A')`,
      [...of, `sha256:${'0'.repeat(64)}`],
    );
    await owner.query(`insert into audit_tiles (tenant_id, level, tile_index, hashes) values ($1, 0, 0, $2)`, [
      ...of,
      hash,
    ]);
    await owner.query(`insert into audit_checkpoints (tenant_id, size, root, note) values ($1, 1, $2, 'CANARY-A')`, [
      ...of,
      hash,
    ]);
  }
  await owner.end();
  return id;
}

/** The audit log holds something about a person; gives their id. */
export async function withKnownPerson(api: ControlPlane, tenant: TestTenant): Promise<string> {
  const owner = new Client({ connectionString: api.databaseUrl });
  await owner.connect();
  const person = newId();
  await owner.query(`insert into person_keys (tenant_id, person_id, salt) values ($1, $2, 'salt')`, [
    tenant.id,
    person,
  ]);
  await owner.end();
  return person;
}

/** The platform's log of one act, as the background service would leave it; gives the act's id. */
export async function withLoggedAct(api: ControlPlane): Promise<string> {
  const owner = new Client({ connectionString: api.databaseUrl });
  await owner.connect();
  const found = await owner.query(`select action_id from operator_log`);
  const id: string = found.rows[0]?.action_id ?? newId();
  if (found.rows.length === 0) {
    await owner.query(
      `insert into operator_actions (id, operator_id, action, reason) select $1, id, 'tenants.list', 'read' from operators limit 1`,
      [id],
    );
    await owner.query(`insert into operator_log (leaf_index, action_id, at) values (0, $1, now())`, [id]);
    await owner.query(`insert into platform_tiles (level, tile_index, hashes) values (0, 0, $1)`, [leafHash('act')]);
  }
  await owner.end();
  return id;
}
