import {
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  randomBytes,
  scrypt,
  type KeyObject,
  type ScryptOptions,
} from 'node:crypto';
import { promisify } from 'node:util';
import { z } from 'zod';
import { decrypt, encrypt } from '#libs/secrets';

const derive = promisify<string, Buffer, number, ScryptOptions, Buffer>(scrypt);
/** 128 MiB for each guess (RFC 7914). */
const COST = { N: 131_072, r: 8, p: 1, maxmem: 256 * 1024 * 1024 } as const;
const CONTEXT = 'wharf-tenant-archive-key';
/** What precedes the 32 bytes of an X25519 public key in its DER form. */
const X25519_DER = Buffer.from('302a300506032b656e032100', 'hex');

const bytes = z.base64url().max(200);

/** How whoever asked for an archive gets at the key of what is sealed in it. */
export const envelopeSchema = z.union([
  z.strictObject({ kind: z.literal('passphrase'), salt: bytes, wrapped: bytes }),
  z.strictObject({ kind: z.literal('public_key'), ephemeral: bytes, wrapped: bytes }),
]);
export type KeyEnvelope = z.infer<typeof envelopeSchema>;

/** For whom an archive is sealed: who knows a passphrase, or who has the private key of 32 bytes (X25519). */
export type Recipient =
  | { readonly kind: 'passphrase'; readonly passphrase: string }
  | { readonly kind: 'public_key'; readonly publicKey: Uint8Array };

/** A new key for what an archive seals, and the envelope in which the recipient gets it. */
export async function newExportKey(recipient: Recipient): Promise<{ key: Buffer; envelope: KeyEnvelope }> {
  const key = randomBytes(32);
  if (recipient.kind === 'passphrase') {
    const salt = randomBytes(16);
    const wrapped = encrypt(await derive(recipient.passphrase, salt, 32, COST), key, CONTEXT).toString('base64url');
    return { key, envelope: { kind: 'passphrase', salt: salt.toString('base64url'), wrapped } };
  }
  const pair = generateKeyPairSync('x25519');
  const ephemeral = pair.publicKey.export({ type: 'spki', format: 'der' }).subarray(-32);
  const shared = sharedKey(pair.privateKey, publicKeyOf(recipient.publicKey), ephemeral);
  const wrapped = encrypt(shared, key, CONTEXT).toString('base64url');
  return { key, envelope: { kind: 'public_key', ephemeral: ephemeral.toString('base64url'), wrapped } };
}

/** The key out of its envelope. @throws Error when the passphrase or the private key is another one */
export async function openExportKey(envelope: KeyEnvelope, secret: string | KeyObject): Promise<Buffer> {
  const wrapped = Buffer.from(envelope.wrapped, 'base64url');
  if (envelope.kind === 'passphrase') {
    if (typeof secret !== 'string') throw new Error('the archive is sealed with a passphrase');
    return decrypt(await derive(secret, Buffer.from(envelope.salt, 'base64url'), 32, COST), wrapped, CONTEXT);
  }
  if (typeof secret === 'string') throw new Error('the archive is sealed for a private key');
  const ephemeral = Buffer.from(envelope.ephemeral, 'base64url');
  return decrypt(sharedKey(secret, publicKeyOf(ephemeral), ephemeral), wrapped, CONTEXT);
}

function publicKeyOf(raw: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.concat([X25519_DER, raw]), format: 'der', type: 'spki' });
}

function sharedKey(privateKey: KeyObject, publicKey: KeyObject, ephemeral: Uint8Array): Buffer {
  const shared = diffieHellman({ privateKey, publicKey });
  return Buffer.from(hkdfSync('sha256', shared, ephemeral, Buffer.from(CONTEXT), 32));
}
