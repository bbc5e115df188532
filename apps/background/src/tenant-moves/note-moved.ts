import type { Client } from 'pg';
import { appendAudit, type AuditEntry } from '#libs/audit';
import type { Move } from './moves.repository.js';

/** An entry names so many of those who have lost their address. */
const NAMED_MAX = 100;

/** Writes into the tenant's log, where it is from now on, that it was moved: once, however often it is said. */
export async function noteMoved(client: Client, move: Move): Promise<void> {
  const { id, tenant_id: tenantId, to_database: to, closed_at: closedAt, requested_by: operator } = move;
  const unaddressed = (move.content?.unaddressed ?? []).slice(0, NAMED_MAX);
  await append(client, move, {
    id,
    event: 'tenant.moved',
    actor: operator === null ? { kind: 'system', id: 'tenant-deletion' } : { kind: 'operator', id: operator },
    target: `tenant:${tenantId}`,
    outcome: 'ok',
    details: {
      tier: to === null ? 'common' : 'dedicated',
      closed_seconds: Math.round((Date.now() - (closedAt?.getTime() ?? Date.now())) / 1_000),
      reason: move.reason,
      ...(unaddressed.length === 0 ? {} : { unaddressed }),
    },
  });
}

async function append(client: Client, { tenant_id: tenantId }: Move, entry: AuditEntry): Promise<void> {
  const tx = { query: async (sql: string, values?: unknown[]) => (await client.query(sql, values)).rows };
  await client.query(`select set_config('app.tenant_id', $1, true)`, [tenantId]);
  await appendAudit(tx, tenantId, [entry]);
}
