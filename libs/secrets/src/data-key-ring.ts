import { decrypt, encrypt } from './envelope.js';
import type { SealedValue } from './sealed-value.js';

/** A tenant's data keys in plain, the newest first: keep it no longer than sealing anew takes. */
export class DataKeyRing {
  readonly #keys: ReadonlyMap<string, Buffer>;
  /** The key that seals; undefined for a tenant without any. */
  readonly newestId: string | undefined;

  constructor(
    readonly tenantId: string,
    keys: ReadonlyArray<readonly [id: string, key: Buffer]>,
  ) {
    this.#keys = new Map(keys);
    this.newestId = keys[0]?.[0];
  }

  /** The same value under the newest key. @throws Error when its key is not among these or the context differs */
  reseal({ dataKeyId, ciphertext }: SealedValue, context: string): SealedValue {
    const [before, newest] = [this.#keys.get(dataKeyId), this.#keys.get(this.newestId ?? '')];
    if (before === undefined || newest === undefined || this.newestId === undefined)
      throw new Error(`data key ${dataKeyId} is gone`);
    return { dataKeyId: this.newestId, ciphertext: encrypt(newest, decrypt(before, ciphertext, context), context) };
  }
}
