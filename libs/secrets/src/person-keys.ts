import { createSecretKey, randomBytes, type KeyObject } from 'node:crypto';
import type { Secret } from '#libs/config';
import type { Transaction } from '#libs/database';
import { decrypt, deriveFrom, encrypt } from './envelope.js';
import { PERSON_KEYS, personKeyContext, ROOT_KEY_ID, WrappingKeys } from './wrapping-keys.js';

interface PersonKeyRow {
  readonly person_id: string;
  readonly salt: Buffer;
  readonly wrapped: Buffer | null;
  readonly root_key_id: string;
}

/** Seals one value of a person; `context` is authenticated. */
export type SealPersonal = (item: {
  readonly personId: string;
  readonly value: unknown;
  readonly context: string;
}) => Buffer;

const NO_KEYS: ReadonlyMap<string, KeyObject> = new Map();

/**
 * Seals what is personal under a key for each person of a tenant: derived from the master key and a random salt in
 * `person_keys`, and, once that master key was replaced, wrapped under the next one in place of the salt. Without the row
 * nobody can read it any more; a backup that holds the row still can be.
 */
export class PersonKeys {
  readonly #wrapping: WrappingKeys;

  constructor(masterKey: Secret) {
    this.#wrapping = new WrappingKeys(masterKey, PERSON_KEYS);
  }

  /** What seals values of these persons; a person without a key gets one. @throws Error for a value of anybody else */
  async sealer(tx: Transaction, tenantId: string, personIds: Iterable<string>): Promise<SealPersonal> {
    const persons = [...new Set(personIds)];
    if (persons.length > 0)
      await tx.query(
        `insert into person_keys (tenant_id, person_id, salt, root_key_id)
         select $1, p.id, p.salt, $4 from unnest($2::text[], $3::bytea[]) as p (id, salt)
         on conflict (tenant_id, person_id) do nothing`,
        [tenantId, persons, persons.map(() => randomBytes(32)), this.#wrapping.currentId],
      );
    const keys = persons.length === 0 ? NO_KEYS : await this.#keys(tx, tenantId, persons);
    return ({ personId, value, context }) => {
      const key = keys.get(personId);
      if (key === undefined) throw new Error('A person has no key.');
      return encrypt(key, Buffer.from(JSON.stringify(value)), context);
    };
  }

  /** Opens sealed values, in the order given; undefined for those of persons whose key is gone. */
  async open(
    tx: Transaction,
    tenantId: string,
    items: ReadonlyArray<{ readonly personId: string; readonly sealed: Uint8Array; readonly context: string }>,
  ): Promise<unknown[]> {
    const keys = await this.#keys(tx, tenantId, [...new Set(items.map(({ personId }) => personId))]);
    return items.map(({ personId, sealed, context }) => {
      const key = keys.get(personId);
      if (key === undefined) return undefined;
      try {
        return JSON.parse(decrypt(key, sealed, context).toString()) as unknown;
      } catch {
        // Sealed under a key that was shredded; the person has a new one since.
        return undefined;
      }
    });
  }

  async #keys(tx: Transaction, tenantId: string, persons: readonly string[]): Promise<Map<string, KeyObject>> {
    const rows: PersonKeyRow[] = await tx.query(
      `select person_id, salt, wrapped, ${ROOT_KEY_ID} as root_key_id from person_keys
       where tenant_id = $1 and person_id = any($2)`,
      [tenantId, persons],
    );
    return new Map(rows.map((row) => [row.person_id, this.#open(tenantId, row)]));
  }

  #open(tenantId: string, { person_id: personId, salt, wrapped, root_key_id: rootKeyId }: PersonKeyRow): KeyObject {
    return createSecretKey(openPersonKey(this.#wrapping, { tenantId, personId, salt, wrapped, rootKeyId }));
  }
}

/** A person's key as its row has it: derived with a salt, or wrapped. */
export function openPersonKey(
  wrapping: WrappingKeys,
  row: {
    readonly tenantId: string;
    readonly personId: string;
    readonly salt: Buffer;
    readonly wrapped: Buffer | null;
    readonly rootKeyId: string;
  },
): Buffer {
  const { tenantId, personId, salt, wrapped, rootKeyId } = row;
  if (wrapped !== null) return wrapping.unwrap({ wrapped, rootKeyId }, personKeyContext(tenantId, personId));
  return deriveFrom(Buffer.concat([wrapping.keyOf(rootKeyId), salt]), `person|${tenantId}|${personId}`);
}
