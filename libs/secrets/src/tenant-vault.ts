import { randomBytes } from 'node:crypto';
import type { Secret } from '#libs/config';
import { newId, type Transaction } from '#libs/database';
import { DataKeyRing } from './data-key-ring.js';
import { DerivedKeys } from './derived-keys.js';
import { decrypt, deriveFrom, encrypt } from './envelope.js';
import { findEarlier, keepEarlier, type Written } from './secret-versions.js';
import { sealedContext, secretContext, type SealedValue } from './sealed-value.js';
import { DATA_KEYS, dataKeyContext, SHREDDED, WrappingKeys } from './wrapping-keys.js';

interface DataKey {
  readonly id: string;
  readonly key: Buffer;
}

interface DataKeyRow {
  readonly wrapped: Buffer;
  readonly wrapping_key_id: string;
}

/** A tenant's secret with the version that was written last. */
export interface StoredSecret {
  readonly version: number;
  readonly value: string;
}

/** A data key on its way between installations, sealed under the key of its archive. */
export interface MovedKey {
  readonly id: string;
  readonly sealed: Buffer;
  readonly createdAt: Date;
}

/** A data key as a row keeps it. */
export interface WrappedKey {
  readonly wrapped: Buffer;
  readonly wrappingKeyId: string;
}

/**
 * Tenants' secrets at rest: AES-256-GCM under a data key per tenant, which is wrapped by the master key. Tenant, name
 * and version are authenticated with each value. All methods work in the caller's `asTenant` transaction.
 */
export class TenantVault {
  readonly #wrapping: WrappingKeys;

  constructor(masterKey: Secret) {
    this.#wrapping = new WrappingKeys(masterKey, DATA_KEYS);
  }

  /** Stores a new value and returns its version, counted from 1; earlier ones are kept for a while. */
  async writeSecret(
    tx: Transaction,
    tenantId: string,
    name: string,
    value: string,
    { by, restoredFrom }: Written = {},
  ): Promise<number> {
    const dataKey = await this.#provideDataKey(tx, tenantId);
    await tx.query(`select pg_advisory_xact_lock(hashtextextended($1, 0))`, [`secret:${tenantId}:${name}`]);
    const found: Array<{ version: number }> = await tx.query(
      `select version from secrets where tenant_id = $1 and name = $2`,
      [tenantId, name],
    );
    const version = (found[0]?.version ?? 0) + 1;
    const ciphertext = encrypt(dataKey.key, Buffer.from(value), secretContext(tenantId, name, version));
    if (found.length > 0) await keepEarlier(tx, tenantId, name);
    await tx.query(
      `insert into secrets (tenant_id, name, version, data_key_id, ciphertext, written_by, restored_from)
       values ($1, $2, $3, $4, $5, $6, $7)
       on conflict (tenant_id, name) do update set version = excluded.version, data_key_id = excluded.data_key_id,
         ciphertext = excluded.ciphertext, written_by = excluded.written_by, restored_from = excluded.restored_from,
         updated_at = now()`,
      [tenantId, name, version, dataKey.id, ciphertext, by && JSON.stringify(by), restoredFrom],
    );
    return version;
  }

  /** Stores the value of an earlier version as the newest and returns its number; undefined where that one is not kept. */
  async restoreSecret(
    tx: Transaction,
    tenantId: string,
    { name, version, by }: { readonly name: string; readonly version: number; readonly by: object },
  ): Promise<number | undefined> {
    const sealed = await findEarlier(tx, tenantId, name, version);
    if (sealed === undefined) return undefined;
    const value = await this.#open(tx, tenantId, secretContext(tenantId, name, version), sealed);
    return this.writeSecret(tx, tenantId, name, value, { by, restoredFrom: version });
  }

  /** Every secret of the tenant, by name. Keep it no longer than the work needs it. */
  async readSecrets(tx: Transaction, tenantId: string): Promise<Map<string, StoredSecret>> {
    const rows: Array<DataKeyRow & { name: string; version: number; ciphertext: Buffer; data_key_id: string }> =
      await tx.query(
        `select s.name, s.version, s.ciphertext, s.data_key_id, k.wrapped, k.wrapping_key_id
       from secrets s join data_keys k on k.tenant_id = s.tenant_id and k.id = s.data_key_id
       where s.tenant_id = $1 order by s.name`,
        [tenantId],
      );
    const keys = new Map<string, Buffer>();
    const secrets = new Map<string, StoredSecret>();
    for (const row of rows) {
      const key = keys.get(row.data_key_id) ?? this.#unwrap(tenantId, row.data_key_id, row);
      keys.set(row.data_key_id, key);
      const value = decrypt(key, row.ciphertext, secretContext(tenantId, row.name, row.version)).toString();
      secrets.set(row.name, { version: row.version, value });
    }
    return secrets;
  }

  /** Seals a value for one purpose; it opens for exactly that purpose of that tenant. */
  async seal(tx: Transaction, tenantId: string, purpose: string, value: string): Promise<SealedValue> {
    const dataKey = await this.#provideDataKey(tx, tenantId);
    const ciphertext = encrypt(dataKey.key, Buffer.from(value), sealedContext(tenantId, purpose));
    return { dataKeyId: dataKey.id, ciphertext };
  }

  /** Opens what `seal` sealed. @throws Error when it was sealed for something else, or its key is gone */
  async open(tx: Transaction, tenantId: string, purpose: string, sealed: SealedValue): Promise<string> {
    return this.#open(tx, tenantId, sealedContext(tenantId, purpose), sealed);
  }

  /** Makes the tenant's data key where there is none yet. */
  async provideKey(tx: Transaction, tenantId: string): Promise<void> {
    await this.#provideDataKey(tx, tenantId);
  }

  /** Makes a new data key for the tenant, which seals from now on; false where its keys were shredded. */
  async replaceKey(tx: Transaction, tenantId: string): Promise<boolean> {
    await this.#lockKeys(tx, tenantId);
    const [shredded]: unknown[] = await tx.query(
      `select 1 from data_keys where tenant_id = $1 and wrapping_key_id = $2 limit 1`,
      [tenantId, SHREDDED],
    );
    if (shredded !== undefined) return false;
    await this.#makeKey(tx, tenantId);
    return true;
  }

  /** All data keys of the tenant, to seal anew what older ones sealed. */
  async openKeys(tx: Transaction, tenantId: string): Promise<DataKeyRing> {
    const keys = await this.#listKeys(tx, tenantId);
    return new DataKeyRing(
      tenantId,
      keys.map(({ id, key }) => [id, key] as const),
    );
  }

  /**
   * Keys for one purpose, derived from each of the tenant's data keys; undefined while it has none. A new data key opens
   * at once and seals a minute later, when everybody has heard of it.
   */
  async findDerivedKeys(tx: Transaction, tenantId: string, purpose: string): Promise<DerivedKeys | undefined> {
    const keys = await this.#listKeys(tx, tenantId);
    const sealing = keys.find(({ settled }) => settled) ?? keys.at(-1);
    if (sealing === undefined) return undefined;
    const derive = ({ id, key }: DataKey): Buffer => deriveFrom(key, `${purpose}|${tenantId}|${id}`);
    return new DerivedKeys([derive(sealing), ...keys.filter((key) => key !== sealing).map(derive)]);
  }

  /** A key for one purpose, derived from the tenant's newest data key; undefined while the tenant has none. */
  async findDerivedKey(tx: Transaction, tenantId: string, purpose: string): Promise<Buffer | undefined> {
    const dataKey = await this.#findDataKey(tx, tenantId);
    return dataKey === undefined ? undefined : deriveFrom(dataKey.key, `${purpose}|${tenantId}|${dataKey.id}`);
  }

  /** The tenant's data keys, sealed under another key on their way to another installation. */
  async sealKeysFor(tx: Transaction, tenantId: string, key: Uint8Array): Promise<MovedKey[]> {
    const rows: Array<DataKeyRow & { id: string; created_at: Date }> = await tx.query(
      `select id, wrapped, wrapping_key_id, created_at from data_keys where tenant_id = $1 order by created_at, id`,
      [tenantId],
    );
    return rows.map(({ id, created_at: at, ...row }) => {
      const dataKey = this.#unwrap(tenantId, id, row);
      return { id, sealed: encrypt(key, dataKey, movedContext(tenantId, id)), createdAt: at };
    });
  }

  /** A data key that came from another installation, as this one keeps it and in plain. @throws Error when it was sealed under another key */
  adoptKey(
    tenantId: string,
    { id, sealed }: Omit<MovedKey, 'createdAt'>,
    key: Uint8Array,
  ): WrappedKey & { readonly key: Buffer } {
    const dataKey = decrypt(key, sealed, movedContext(tenantId, id));
    const { wrapped, rootKeyId } = this.#wrapping.wrap(dataKey, dataKeyContext(tenantId, id));
    return { wrapped, wrappingKeyId: rootKeyId, key: dataKey };
  }

  async #open(tx: Transaction, tenantId: string, context: string, sealed: SealedValue): Promise<string> {
    const [row]: DataKeyRow[] = await tx.query(
      `select wrapped, wrapping_key_id from data_keys where tenant_id = $1 and id = $2`,
      [tenantId, sealed.dataKeyId],
    );
    if (row === undefined) throw new Error('the data key of a sealed value is gone');
    const key = this.#unwrap(tenantId, sealed.dataKeyId, row);
    return decrypt(key, sealed.ciphertext, context).toString();
  }

  async #findDataKey(tx: Transaction, tenantId: string): Promise<DataKey | undefined> {
    const found: Array<DataKeyRow & { id: string }> = await tx.query(
      `select id, wrapped, wrapping_key_id from data_keys where tenant_id = $1 order by created_at desc, id desc limit 1`,
      [tenantId],
    );
    return found[0] && { id: found[0].id, key: this.#unwrap(tenantId, found[0].id, found[0]) };
  }

  /** The newest first. */
  async #listKeys(tx: Transaction, tenantId: string): Promise<Array<DataKey & { readonly settled: boolean }>> {
    const rows: Array<DataKeyRow & { id: string; settled: boolean }> = await tx.query(
      `select id, wrapped, wrapping_key_id, created_at < now() - interval '1 minute' as settled from data_keys
       where tenant_id = $1 order by created_at desc, id desc`,
      [tenantId],
    );
    return rows.map((row) => ({ id: row.id, settled: row.settled, key: this.#unwrap(tenantId, row.id, row) }));
  }

  async #provideDataKey(tx: Transaction, tenantId: string): Promise<DataKey> {
    await this.#lockKeys(tx, tenantId);
    return (await this.#findDataKey(tx, tenantId)) ?? (await this.#makeKey(tx, tenantId));
  }

  /** Until the transaction ends: who seals holds it, so that a new key comes after all that older ones seal. */
  async #lockKeys(tx: Transaction, tenantId: string): Promise<void> {
    await tx.query(`select pg_advisory_xact_lock(hashtextextended($1, 0))`, [`data-key:${tenantId}`]);
  }

  async #makeKey(tx: Transaction, tenantId: string): Promise<DataKey> {
    const dataKey = { id: newId(), key: randomBytes(32) };
    const { wrapped, rootKeyId } = this.#wrapping.wrap(dataKey.key, dataKeyContext(tenantId, dataKey.id));
    await tx.query(
      `insert into data_keys (tenant_id, id, wrapped, wrapping_key_id, created_at)
       values ($1, $2, $3, $4, clock_timestamp())`,
      [tenantId, dataKey.id, wrapped, rootKeyId],
    );
    return dataKey;
  }

  #unwrap(tenantId: string, id: string, { wrapped, wrapping_key_id: rootKeyId }: DataKeyRow): Buffer {
    return this.#wrapping.unwrap({ wrapped, rootKeyId }, dataKeyContext(tenantId, id));
  }
}

function movedContext(tenantId: string, id: string): string {
  return `moved-data-key|${tenantId}|${id}`;
}
