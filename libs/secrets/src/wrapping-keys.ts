import { ringOf, type Secret } from '#libs/config';
import { decrypt, deriveKey, encrypt, masterKeyId } from './envelope.js';

/** What tenants' data keys are wrapped for. */
export const DATA_KEYS = 'data-keys';
/** What the keys of a tenant's persons are wrapped, or derived, for. */
export const PERSON_KEYS = 'person-keys';

/** Stands in place of a master key's id where a key was overwritten for good. */
export const SHREDDED = 'shredded';

/** Under which master key a row is sealed; rows of before these could be replaced name none, and are of the first. */
export const ROOT_KEY_ID = `coalesce(root_key_id, (select master_key_id from installation))`;

/** A key that was wrapped, and under which master key. */
export interface WrappedKey {
  readonly wrapped: Buffer;
  readonly rootKeyId: string;
}

/** Wraps keys of one purpose under the master key, and opens those that are still wrapped under another of the ring. */
export class WrappingKeys {
  readonly #keys: ReadonlyMap<string, Buffer>;
  /** Names the master key that wraps. */
  readonly currentId: string;

  constructor(masterKey: Secret, purpose: string) {
    this.#keys = new Map(ringOf(masterKey).map((key) => [masterKeyId(key), deriveKey(key, purpose)]));
    this.currentId = masterKeyId(masterKey);
  }

  wrap(key: Uint8Array, context: string): WrappedKey {
    return { wrapped: encrypt(this.keyOf(this.currentId), key, context), rootKeyId: this.currentId };
  }

  /** @throws Error where its master key is not among ours, or it was wrapped for something else */
  unwrap({ wrapped, rootKeyId }: WrappedKey, context: string): Buffer {
    return decrypt(this.keyOf(rootKeyId), wrapped, context);
  }

  /** The key that a master key of the ring gives for this purpose. */
  keyOf(rootKeyId: string): Buffer {
    if (rootKeyId === SHREDDED) throw new Error('the keys of this tenant were shredded; nothing of it can be opened');
    const key = this.#keys.get(rootKeyId);
    if (key === undefined)
      throw new Error(`a key is wrapped under master key ${rootKeyId}, which WHARF_MASTER_KEY does not name; add it`);
    return key;
  }
}

/** What a tenant's data key is authenticated with. */
export function dataKeyContext(tenantId: string, id: string): string {
  return `data-key|${tenantId}|${id}`;
}

/** What the key of a tenant's person is authenticated with, once it is wrapped. */
export function personKeyContext(tenantId: string, personId: string): string {
  return `person-key|${tenantId}|${personId}`;
}
