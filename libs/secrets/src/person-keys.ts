import { randomBytes } from 'node:crypto';
import type { Secret } from '#libs/config';
import type { Transaction } from '#libs/database';
import { decrypt, deriveFrom, deriveKey, encrypt } from './envelope.js';

/**
 * Seals what is personal under a key for each person of a tenant: derived from the master key and a random salt in
 * `person_keys`. Without the salt nobody can read it any more; a backup that holds the salt still can be.
 */
export class PersonKeys {
  readonly #key: Buffer;

  constructor(masterKey: Secret) {
    this.#key = deriveKey(masterKey, 'person-keys');
  }

  /** Seals values of persons, in the order given; a person without a key gets one. `context` is authenticated. */
  async seal(
    tx: Transaction,
    tenantId: string,
    items: ReadonlyArray<{ readonly personId: string; readonly value: unknown; readonly context: string }>,
  ): Promise<Buffer[]> {
    const persons = [...new Set(items.map(({ personId }) => personId))];
    await tx.query(
      `insert into person_keys (tenant_id, person_id, salt)
       select $1, p.id, p.salt from unnest($2::text[], $3::bytea[]) as p (id, salt)
       on conflict (tenant_id, person_id) do nothing`,
      [tenantId, persons, persons.map(() => randomBytes(32))],
    );
    const salts = await this.#salts(tx, tenantId, persons);
    const keys = new Map(persons.map((personId) => [personId, this.#keyOf(tenantId, personId, salts)]));
    return items.map(({ personId, value, context }) => {
      const key = keys.get(personId) ?? this.#keyOf(tenantId, personId, salts);
      return encrypt(key, Buffer.from(JSON.stringify(value)), context);
    });
  }

  /** Opens sealed values, in the order given; undefined for those of persons whose key is gone. */
  async open(
    tx: Transaction,
    tenantId: string,
    items: ReadonlyArray<{ readonly personId: string; readonly sealed: Uint8Array; readonly context: string }>,
  ): Promise<unknown[]> {
    const salts = await this.#salts(tx, tenantId, [...new Set(items.map(({ personId }) => personId))]);
    return items.map(({ personId, sealed, context }) => {
      if (!salts.has(personId)) return undefined;
      try {
        return JSON.parse(decrypt(this.#keyOf(tenantId, personId, salts), sealed, context).toString()) as unknown;
      } catch {
        // Sealed under a key that was shredded; the person has a new one since.
        return undefined;
      }
    });
  }

  async #salts(tx: Transaction, tenantId: string, persons: readonly string[]): Promise<Map<string, Buffer>> {
    const rows: Array<{ person_id: string; salt: Buffer }> = await tx.query(
      `select person_id, salt from person_keys where tenant_id = $1 and person_id = any($2)`,
      [tenantId, persons],
    );
    return new Map(rows.map((row) => [row.person_id, row.salt]));
  }

  #keyOf(tenantId: string, personId: string, salts: ReadonlyMap<string, Buffer>): Buffer {
    const salt = salts.get(personId);
    if (salt === undefined) throw new Error('A person has no key.');
    return deriveFrom(Buffer.concat([this.#key, salt]), `person|${tenantId}|${personId}`);
  }
}
