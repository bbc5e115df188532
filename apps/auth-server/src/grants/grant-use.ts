import type { Transaction } from '#libs/database';

/** A token that was issued under a grant. */
export interface GrantUse {
  readonly id: string;
  readonly tenantId: string;
  readonly accountId: string;
  readonly clientId: string;
  readonly clientName: string | undefined;
  /** Where the person was sent back to; known when the first token is issued. */
  readonly redirectHost: string | undefined;
  readonly resource: string;
  readonly scope: string;
  /** When nothing that hangs on the grant works any more, unless it is used again. */
  readonly livesSeconds: number;
}

/** A grant ended while a token of it was on its way out. */
export class GrantEnded extends Error {
  constructor() {
    super('the grant was revoked while its token was issued');
  }
}

/**
 * Notes within its tenant that a token was issued; the provider's records are shared rows. One whose code was used again before this is revoked from the start.
 * @throws GrantEnded when the grant was ended meanwhile
 */
export async function noteGrantUse(tx: Transaction, shared: Transaction, use: GrantUse): Promise<void> {
  const stands = await keepStanding(tx, shared, use);
  const rows: unknown[] = await tx.query(
    `insert into grants (tenant_id, id, account_id, client_id, client_name, redirect_host, resource, scope, expires_at,
       revoked_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, now() + make_interval(secs => $9), case when not $10 then now() end)
     on conflict (tenant_id, id) do update set last_used_at = now(), scope = excluded.scope,
       expires_at = excluded.expires_at where grants.revoked_at is null and excluded.revoked_at is null
     returning 1`,
    [
      use.tenantId,
      use.id,
      use.accountId,
      use.clientId,
      use.clientName ?? null,
      use.redirectHost ?? null,
      use.resource,
      use.scope,
      use.livesSeconds,
      stands,
    ],
  );
  if (rows.length === 0) throw new GrantEnded();
}

/**
 * Keeps a membership and the provider's record of a grant as they are until the transaction ends: whoever ends one of them
 * waits for it and then sees what it wrote. They are locked before rows of `grants`, here and wherever they are deleted.
 * @returns whether the record is there; the provider deletes it when it revokes the grant
 * @throws GrantEnded when the person is no member any more
 */
async function keepStanding(
  tx: Transaction,
  shared: Transaction,
  { tenantId, accountId, id }: GrantUse,
): Promise<boolean> {
  const member: unknown[] = await tx.query(
    `select 1 from members where tenant_id = $1 and account_id = $2 for key share`,
    [tenantId, accountId],
  );
  if (member.length === 0) throw new GrantEnded();
  const record: unknown[] = await shared.query(
    `select 1 from oauth_artifacts where model = 'Grant' and id_hash = $1 for key share`,
    [id],
  );
  return record.length > 0;
}
