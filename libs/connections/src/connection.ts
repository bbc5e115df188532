import { z } from 'zod';
import { newId, type Transaction } from '#libs/database';
import type { SealedValue, TenantVault } from '#libs/secrets';
import { upstreamClientSchema } from './connector.js';

/** What an upstream granted a person, and by which client; never shown to anybody. */
export const grantedSchema = z.strictObject({
  client: upstreamClientSchema,
  /** Origins that the person was told may be sent their token: it goes to no other, whatever the connector says later. */
  origins: z.array(z.string()),
  accessToken: z.string(),
  refreshToken: z.string().optional(),
  /** Epoch milliseconds. */
  expiresAtMs: z.number().optional(),
  scope: z.string().optional(),
  /** Scopes that were asked for, where they are not those of the client alone. */
  asked: z.array(z.string()).optional(),
});
export type Granted = z.infer<typeof grantedSchema>;

/** Whose connection, at which upstream. */
export interface ConnectionKey {
  readonly tenantId: string;
  readonly connectorId: string;
  readonly accountId: string;
}

/**
 * A person's connection.
 *
 *     (none) ──connect──► connected ──the upstream takes it back──► reconnect ──connect──► connected
 *     connected, reconnect ──disconnect, membership ends, connector goes──► (none), and revoked at the upstream
 */
export interface Connection extends ConnectionKey {
  readonly state: 'connected' | 'reconnect';
  /** Counts what was stored; a refresh that finds another one has been overtaken. */
  readonly version: number;
  readonly sealed: SealedValue;
  /** What the upstream said is lacking: asked for, with what the connector names, when the person logs in again. */
  readonly wantedScopes: readonly string[];
}

interface ConnectionRow {
  readonly wanted_scopes: string[];
  readonly state: Connection['state'];
  readonly version: number;
  readonly data_key_id: string;
  readonly ciphertext: Buffer;
}

/** How long one process may take to refresh a connection before another may try. */
const LEASE_SECONDS = 30;
const WANTED_MAX = 50;
const OF_KEY = `tenant_id = $1 and connector_id = $2 and account_id = $3`;

/** A person's connection at an upstream. */
export async function findConnection(tx: Transaction, key: ConnectionKey): Promise<Connection | undefined> {
  const rows: ConnectionRow[] = await tx.query(
    `select state, version, data_key_id, ciphertext, wanted_scopes from connections where ${OF_KEY}`,
    valuesOf(key),
  );
  return rows[0] && connectionOf(key, rows[0]);
}

/** What was granted, in plain. */
export async function openGranted(
  tx: Transaction,
  vault: TenantVault,
  connection: ConnectionKey & { readonly sealed: SealedValue },
): Promise<Granted> {
  const text = await vault.open(tx, connection.tenantId, grantedPurpose(connection), connection.sealed);
  return grantedSchema.parse(JSON.parse(text));
}

/**
 * Stores what an upstream has just granted a person, in place of what they held there. That is not revoked: many
 * authorization servers end everything that one client holds for one person at once, the new grant too.
 */
export async function saveConnection(
  tx: Transaction,
  vault: TenantVault,
  key: ConnectionKey,
  granted: Granted,
): Promise<void> {
  const { dataKeyId, ciphertext } = await sealGranted(tx, vault, key, granted);
  await tx.query(
    `insert into connections as c
       (tenant_id, connector_id, account_id, issuer, scope, state, data_key_id, ciphertext, expires_at)
     values ($1, $2, $3, $4, $5, 'connected', $6, $7, $8)
     on conflict (tenant_id, connector_id, account_id) do update set issuer = excluded.issuer, scope = excluded.scope,
       state = 'connected', version = c.version + 1, data_key_id = excluded.data_key_id, ciphertext = excluded.ciphertext,
       expires_at = excluded.expires_at, connected_at = now(), refreshed_at = now(), lease = null, leased_until = null`,
    [...valuesOf(key), granted.client.issuer, granted.scope ?? null, dataKeyId, ciphertext, expiryOf(granted)],
  );
}

/** Notes what an upstream says that a person's login lacks, beside what it said before; no more than a request can hold. */
export async function wantScopes(tx: Transaction, key: ConnectionKey, scopes: readonly string[]): Promise<void> {
  await tx.query(
    `update connections set wanted_scopes = array(
       select distinct s from unnest(wanted_scopes || $4::text[]) s order by s limit ${WANTED_MAX})
     where ${OF_KEY}`,
    [...valuesOf(key), scopes],
  );
}

/** Takes the right to refresh a connection that is as it was read; undefined when somebody else has it, or it changed. */
export async function leaseConnection(tx: Transaction, { version, ...key }: Connection): Promise<string | undefined> {
  const lease = newId();
  const [rows]: [unknown[], number] = await tx.query(
    `update connections set lease = $4, leased_until = now() + make_interval(secs => $5)
     where ${OF_KEY} and version = $6 and state = 'connected' and (lease is null or leased_until < now())
     returning version`,
    [...valuesOf(key), lease, LEASE_SECONDS, version],
  );
  return rows.length === 0 ? undefined : lease;
}

/** Stores what a refresh brought; false where the lease was lost meanwhile. */
export async function saveRefreshed(
  tx: Transaction,
  vault: TenantVault,
  { key, lease, granted }: { readonly key: ConnectionKey; readonly lease: string; readonly granted: Granted },
): Promise<boolean> {
  const { dataKeyId, ciphertext } = await sealGranted(tx, vault, key, granted);
  const [rows]: [unknown[], number] = await tx.query(
    `update connections set version = version + 1, data_key_id = $5, ciphertext = $6, expires_at = $7, scope = $8,
       refreshed_at = now(), lease = null, leased_until = null
     where ${OF_KEY} and lease = $4 returning version`,
    [...valuesOf(key), lease, dataKeyId, ciphertext, expiryOf(granted), granted.scope ?? null],
  );
  return rows.length > 0;
}

/** Gives a lease back; `reconnect` where the upstream has taken back what it granted. Whether the lease was still held. */
export async function endLease(
  tx: Transaction,
  { key, lease, state }: { readonly key: ConnectionKey; readonly lease: string; readonly state: Connection['state'] },
): Promise<boolean> {
  const [rows]: [unknown[], number] = await tx.query(
    `update connections set state = $5, lease = null, leased_until = null where ${OF_KEY} and lease = $4 returning state`,
    [...valuesOf(key), lease, state],
  );
  return rows.length > 0;
}

function sealGranted(tx: Transaction, vault: TenantVault, key: ConnectionKey, granted: Granted): Promise<SealedValue> {
  return vault.seal(tx, key.tenantId, grantedPurpose(key), JSON.stringify(granted));
}

function grantedPurpose({ connectorId, accountId }: Pick<ConnectionKey, 'connectorId' | 'accountId'>): string {
  return `connection:${connectorId}:${accountId}`;
}

function expiryOf({ expiresAtMs }: Granted): Date | null {
  return expiresAtMs === undefined ? null : new Date(expiresAtMs);
}

function valuesOf({ tenantId, connectorId, accountId }: ConnectionKey): string[] {
  return [tenantId, connectorId, accountId];
}

function connectionOf(
  key: ConnectionKey,
  { state, version, data_key_id: dataKeyId, ciphertext, wanted_scopes: wantedScopes }: ConnectionRow,
): Connection {
  return { ...key, state, version, wantedScopes, sealed: { dataKeyId, ciphertext } };
}
