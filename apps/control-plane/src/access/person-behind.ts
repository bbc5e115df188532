import type { Transaction } from '#libs/database';
import type { TenantCaller } from './caller.js';

/** Whoever made a call, as records name them. */
export interface Requester {
  readonly kind: string;
  readonly id: string;
}

/** Those in whose hands the credentials of a requester were given: a person's own account, and whoever made a key or client. */
export async function peopleBehind(tx: Transaction, tenantId: string, { kind, id }: Requester): Promise<string[]> {
  switch (kind) {
    case 'person':
      return [id];
    case 'api-key':
      return accounts(tx, `select created_by as id from api_keys where tenant_id = $1 and id::text = $2`, [
        tenantId,
        id,
      ]);
    case 'client':
      return accounts(
        tx,
        `select unnest(array[created_by, secret_given_to]) as id from clients where tenant_id = $1 and id = $2`,
        [tenantId, id],
      );
    default:
      return [];
  }
}

/** The account that this caller acts for; null where it is not known whose key it is. */
export async function personBehind(tx: Transaction, { tenantId, principal }: TenantCaller): Promise<string | null> {
  const requester = requesterOf(principal);
  return (await peopleBehind(tx, tenantId, requester))[0] ?? null;
}

function requesterOf(principal: TenantCaller['principal']): Requester {
  switch (principal.kind) {
    case 'person':
      return { kind: 'person', id: principal.subject };
    case 'api-key':
      return { kind: 'api-key', id: principal.keyId };
    case 'client':
      return { kind: 'client', id: principal.clientId };
  }
}

async function accounts(tx: Transaction, sql: string, values: readonly string[]): Promise<string[]> {
  const rows: Array<{ id: string | null }> = await tx.query(sql, [...values]);
  return rows.flatMap(({ id }) => id ?? []);
}
