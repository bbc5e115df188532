import { Injectable } from '@nestjs/common';
import type { Transaction } from '#libs/database';
import type { CLIENT_AUTH_METHODS, CLIENT_KINDS } from './client-kinds.js';

/** A stored client without its secrets' hashes. */
export interface ClientRow {
  readonly id: string;
  readonly kind: (typeof CLIENT_KINDS)[number];
  readonly name: string;
  readonly auth_method: (typeof CLIENT_AUTH_METHODS)[number];
  readonly redirect_uris: string[];
  readonly scopes: string[];
  readonly key_set: Record<string, unknown> | null;
  readonly key_set_url: string | null;
  readonly enabled: boolean;
  readonly created_at: Date;
  readonly last_used_at: Date | null;
  readonly previous_secret_expires_at: Date | null;
}

/** What of a client can be changed. */
export type ClientChoices = Pick<
  ClientRow,
  'name' | 'redirect_uris' | 'scopes' | 'key_set' | 'key_set_url' | 'enabled'
>;

/** Whose hands something was given into: an account; null where that is not known. */
export interface Given {
  readonly to: string | null;
}

const COLUMNS = `id, kind, name, auth_method, redirect_uris, scopes, key_set, key_set_url, enabled, created_at,
  last_used_at, case when previous_secret_expires_at > now() then previous_secret_expires_at end
  as previous_secret_expires_at`;

/** The OAuth clients that a tenant registered. */
@Injectable()
export class ClientsRepository {
  async list(tx: Transaction, tenantId: string): Promise<ClientRow[]> {
    return tx.query(`select ${COLUMNS} from clients where tenant_id = $1 order by created_at desc, id`, [tenantId]);
  }

  async find(tx: Transaction, tenantId: string, id: string): Promise<ClientRow | undefined> {
    const rows: ClientRow[] = await tx.query(`select ${COLUMNS} from clients where tenant_id = $1 and id = $2`, [
      tenantId,
      id,
    ]);
    return rows[0];
  }

  /** As `find`; until the transaction ends nobody else changes it. */
  async lock(tx: Transaction, tenantId: string, id: string): Promise<ClientRow | undefined> {
    const rows: ClientRow[] = await tx.query(
      `select ${COLUMNS} from clients where tenant_id = $1 and id = $2 for update`,
      [tenantId, id],
    );
    return rows[0];
  }

  /** How many clients the tenant has; concurrent registrations of one tenant wait for each other. */
  async count(tx: Transaction, tenantId: string): Promise<number> {
    await tx.query(`select pg_advisory_xact_lock(hashtextextended($1, 0))`, [`clients:${tenantId}`]);
    const rows: [{ count: number }] = await tx.query(
      `select count(*)::int as count from clients where tenant_id = $1`,
      [tenantId],
    );
    return rows[0].count;
  }

  async insert(
    tx: Transaction,
    tenantId: string,
    client: Omit<ClientRow, 'created_at' | 'last_used_at' | 'previous_secret_expires_at'>,
    { secretHash, createdBy }: { readonly secretHash: string | null; readonly createdBy: string | null },
  ): Promise<void> {
    await tx.query(
      `insert into clients (tenant_id, id, kind, name, auth_method, redirect_uris, scopes, key_set, key_set_url, enabled,
         secret_hash, created_by, maker_unknown)
       values ($1, $2, $3, $4, $5, $6, $7, $8::jsonb, $9, $10, $11, $12, $12::uuid is null)`,
      [
        tenantId,
        client.id,
        client.kind,
        client.name,
        client.auth_method,
        client.redirect_uris,
        client.scopes,
        keySetText(client.key_set),
        client.key_set_url,
        client.enabled,
        secretHash,
        createdBy,
      ],
    );
  }

  /** Writes a client's choices; `given` says whose its keys are from here on, where they are among what is changed. */
  async change(
    tx: Transaction,
    tenantId: string,
    id: string,
    choices: ClientChoices,
    given: Given | undefined,
  ): Promise<void> {
    await tx.query(
      `update clients set name = $3, redirect_uris = $4, scopes = $5, key_set = $6::jsonb, key_set_url = $7, enabled = $8
         ${given === undefined ? '' : `, ${noteGiven('$9')}`} where tenant_id = $1 and id = $2`,
      [
        tenantId,
        id,
        choices.name,
        choices.redirect_uris,
        choices.scopes,
        keySetText(choices.key_set),
        choices.key_set_url,
        choices.enabled,
        ...(given === undefined ? [] : [given.to]),
      ],
    );
  }

  /** Puts a new secret in place; the present one is good for so many seconds more, the one before it no longer. */
  async rotateSecret(
    tx: Transaction,
    tenantId: string,
    id: string,
    { hash, overlapSeconds, to }: Given & { readonly hash: string; readonly overlapSeconds: number },
  ): Promise<void> {
    await tx.query(
      `update clients set previous_secret_hash = secret_hash, secret_hash = $3,
         previous_secret_expires_at = now() + make_interval(secs => $4), ${noteGiven('$5')} where tenant_id = $1 and id = $2`,
      [tenantId, id, hash, overlapSeconds, to],
    );
  }

  /** Deletes a client, ends what it holds for people, and no server names it any more; false where there was none. */
  async remove(tx: Transaction, tenantId: string, id: string): Promise<boolean> {
    const rows: unknown[] = await tx.query(
      `with gone as (delete from clients where tenant_id = $1 and id = $2 returning id) select id from gone`,
      [tenantId, id],
    );
    await tx.query(
      `update grants set revoked_at = now() where tenant_id = $1 and client_id = $2 and revoked_at is null`,
      [tenantId, id],
    );
    await tx.query(
      `update servers set exchange_clients = array_remove(exchange_clients, $2)
       where tenant_id = $1 and $2 = any(exchange_clients)`,
      [tenantId, id],
    );
    return rows.length > 0;
  }
}

/**
 * Writes down who was given what a client proves itself with, beside all who were: earlier secrets may still be good. It is
 * in the statement that gives it; one that gives and does not say so leaves a client of which nobody knows whose it is.
 */
function noteGiven(accountId: string): string {
  return `holders_noted = holders_noted + 1, maker_unknown = maker_unknown or ${accountId}::uuid is null,
    secret_given_to = array_remove(array_remove(secret_given_to, ${accountId}::uuid) || ${accountId}::uuid, null)`;
}

function keySetText(keySet: Record<string, unknown> | null): string | null {
  return keySet === null ? null : JSON.stringify(keySet);
}
