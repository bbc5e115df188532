import type { Transaction } from '#libs/database';
import { AppError } from '#libs/errors';
import { READ_EVERYWHERE } from '#libs/identity';

/**
 * Keeps the servers that scopes name from being deleted until the transaction ends (`to give`), or scopes from being given
 * to anything (`to take`); the first lock of a transaction, whichever it takes beside it.
 */
export async function lockScopes(tx: Transaction, tenantId: string, why: 'to give' | 'to take'): Promise<void> {
  const lock = why === 'to give' ? 'pg_advisory_xact_lock_shared' : 'pg_advisory_xact_lock';
  await tx.query(`select ${lock}(hashtextextended($1, 0))`, [`scopes:${tenantId}`]);
}

/** Refuses scopes of servers (`{server}:{name}`) that name no server of the tenant, or no group of it. @throws AppError `unprocessable` */
export async function refuseUnknownScopes(tx: Transaction, tenantId: string, scopes: readonly string[]): Promise<void> {
  const ofServers = scopes.filter((scope) => scope.includes(':') && scope !== READ_EVERYWHERE);
  if (ofServers.length === 0) return;
  const rows: Array<{ scope: string }> = await tx.query(
    `select n.scope from unnest($2::text[]) as n(scope)
     where not exists (
       select from servers s where s.tenant_id = $1 and s.slug = split_part(n.scope, ':', 1)
         and (split_part(n.scope, ':', 2) in ('read', 'write') or s.tool_groups ? split_part(n.scope, ':', 2)))
     order by n.scope`,
    [tenantId, ofServers],
  );
  if (rows.length === 0) return;
  const unknown = rows.map(({ scope }) => scope);
  throw new AppError('unprocessable', {
    message: `No server of yours knows ${unknown.join(', ')}. Name a server and read, write or one of its groups.`,
    problems: unknown.map((scope) => ({
      pointer: `/scopes/${scopes.indexOf(scope)}`,
      message: 'names no server or no group of one',
    })),
  });
}
