import { decrypt, encrypt } from './envelope.js';

/**
 * Keys for one purpose, derived from each of a tenant's data keys: the first seals, all of them open. So what was
 * sealed before the data key was replaced stays readable for as long as it lives.
 */
export class DerivedKeys {
  constructor(private readonly keys: readonly [Buffer, ...Buffer[]]) {}

  /** Seals bytes; `context` is authenticated with them. */
  seal(plain: Uint8Array, context: string): Buffer {
    return encrypt(this.keys[0], plain, context);
  }

  /** Opens what one of these keys sealed. @throws Error when none did, the context differs or a byte was changed */
  open(sealed: Uint8Array, context: string): Buffer {
    let failure: unknown;
    for (const key of this.keys) {
      try {
        return decrypt(key, sealed, context);
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  }
}
