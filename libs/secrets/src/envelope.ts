import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomFillSync, type KeyObject } from 'node:crypto';
import { MasterKeys, ringOf, type Secret } from '#libs/config';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Purposes whose key cannot be replaced, because what was made with it is not ours to make again: keyed hashes of what
 * people hold, and seals that need what they present. The installation keeps these keys, sealed under its master key.
 */
export const LASTING_PURPOSES = [
  'presented',
  'recovery-codes',
  'user-codes',
  'idempotency',
  'known-redirects',
  'connect-visitors',
] as const;

/** Says of a row that it is sealed under a key that lasts, in place of the id of a master key. */
export const LASTING = 'lasting';

/** One of the purposes whose key stays. */
export type LastingPurpose = (typeof LASTING_PURPOSES)[number];

/** The system is asked for many nonces at once: asking costs more than sealing a short value. */
const nonces = Buffer.alloc(256 * NONCE_BYTES);
let noncesUsed = nonces.length;

/**
 * AES-256-GCM: `nonce | tag | ciphertext`. `context` is authenticated, so that a value cannot be moved elsewhere. Who seals many
 * values under one key gives it as a `KeyObject`: bytes become one anew each time, which takes longer than sealing.
 */
export function encrypt(key: Uint8Array | KeyObject, plain: Uint8Array, context: string): Buffer {
  const nonce = takeNonce();
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(context));
  const body = cipher.update(plain);
  // In this mode nothing is left to give out at the end but the tag.
  cipher.final();
  return Buffer.concat([nonce, cipher.getAuthTag(), body]);
}

/** A nonce that nothing else is sealed with. */
function takeNonce(): Buffer {
  if (noncesUsed === nonces.length) {
    randomFillSync(nonces);
    noncesUsed = 0;
  }
  noncesUsed += NONCE_BYTES;
  return nonces.subarray(noncesUsed - NONCE_BYTES, noncesUsed);
}

/** The plain bytes of `encrypt`. @throws Error when key or context differ or a byte was changed */
export function decrypt(key: Uint8Array | KeyObject, sealed: Uint8Array, context: string): Buffer {
  const bytes = Buffer.from(sealed);
  // A shorter tag, of a value that was cut off, could be guessed.
  const options = { authTagLength: TAG_BYTES };
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE_BYTES), options)
    .setAAD(Buffer.from(context))
    .setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
  return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()]);
}

/** A key for one purpose, derived from the master key (HKDF-SHA-256, RFC 5869). */
export function deriveKey(masterKey: Secret, purpose: string): Buffer {
  return deriveFrom(Buffer.from(masterKey.reveal()), purpose);
}

/** The keys of one purpose while the master key is replaced, the one that seals first. */
export function deriveKeys(masterKey: Secret, purpose: string): Buffer[] {
  return ringOf(masterKey).map((key) => deriveKey(key, purpose));
}

/** A key for one purpose that stays what it is when the master key is replaced, once the installation keeps it. */
export function deriveLasting(masterKey: Secret, purpose: LastingPurpose): Buffer {
  const kept = masterKey instanceof MasterKeys ? masterKey.kept(purpose) : undefined;
  return kept ?? deriveKey(masterKey, purpose);
}

/** A key for one purpose, derived from another key (HKDF-SHA-256, RFC 5869). */
export function deriveFrom(key: Uint8Array, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', key, Buffer.alloc(0), Buffer.from(`wharf:${purpose}`), 32));
}

/** Names a master key in rows without telling anything of it. */
export function masterKeyId(masterKey: Secret): string {
  return createHash('sha256').update(deriveKey(masterKey, 'key-id')).digest('hex').slice(0, 16);
}

/** Seals bytes of the platform's own (signing keys) under the master key. */
export function sealWithMaster(masterKey: Secret, purpose: string, plain: Uint8Array): Buffer {
  return encrypt(deriveKey(masterKey, purpose), plain, purpose);
}

/** Opens what `sealWithMaster` sealed for the same purpose, under whichever of the master keys. */
export function openWithMaster(masterKey: Secret, purpose: string, sealed: Uint8Array): Buffer {
  const keys = ringOf(masterKey);
  for (const [index, key] of keys.entries()) {
    try {
      return decrypt(deriveKey(key, purpose), sealed, purpose);
    } catch (error) {
      if (index === keys.length - 1) throw error;
    }
  }
  throw new Error('there is no master key');
}

/** Seals bytes so that it takes both the master key and what is presented to open them (HKDF-SHA-256 over the two). */
export function sealWithPresented(masterKey: Secret, presented: string, purpose: string, plain: Uint8Array): Buffer {
  return encrypt(presentedKey(masterKey, presented, purpose), plain, purpose);
}

/** Opens what `sealWithPresented` sealed for the same purpose. */
export function openWithPresented(masterKey: Secret, presented: string, purpose: string, sealed: Uint8Array): Buffer {
  return decrypt(presentedKey(masterKey, presented, purpose), sealed, purpose);
}

function presentedKey(masterKey: Secret, presented: string, purpose: string): Buffer {
  const salt = deriveLasting(masterKey, 'presented');
  return Buffer.from(hkdfSync('sha256', Buffer.from(presented), salt, Buffer.from(`wharf:${purpose}`), 32));
}
