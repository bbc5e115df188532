import type { Transaction } from '#libs/database';
import type { TenantCaller } from './caller.js';

/** Whoever made a call, as records name them. */
export interface Requester {
  readonly kind: string;
  readonly id: string;
}

/**
 * Those in whose hands the credentials of a requester were given: a person's own account, and whoever made a key or client.
 * Undefined where that cannot be told: the key or client is gone, or was made by a service that did not
 * write down by whom.
 */
export async function peopleBehind(
  tx: Transaction,
  tenantId: string,
  { kind, id }: Requester,
): Promise<string[] | undefined> {
  switch (kind) {
    case 'person':
      return [id];
    case 'api-key':
      return accounts(
        tx,
        `select array[created_by] as ids from api_keys where tenant_id = $1 and id::text = $2 and not maker_unknown`,
        [tenantId, id],
      );
    case 'client':
      return accounts(
        tx,
        `select created_by || secret_given_to as ids from clients
         where tenant_id = $1 and id = $2 and not maker_unknown`,
        [tenantId, id],
      );
    default:
      return [];
  }
}

/** The account that this caller acts for; null where it is not known whose key it is. */
export async function personBehind(tx: Transaction, { tenantId, principal }: TenantCaller): Promise<string | null> {
  const requester = requesterOf(principal);
  return (await peopleBehind(tx, tenantId, requester))?.[0] ?? null;
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

async function accounts(tx: Transaction, sql: string, values: readonly string[]): Promise<string[] | undefined> {
  const rows: Array<{ ids: Array<string | null> }> = await tx.query(sql, [...values]);
  return rows[0]?.ids.flatMap((id) => id ?? []);
}
