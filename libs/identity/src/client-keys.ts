import { createPublicKey, type JsonWebKey } from 'node:crypto';
import { z } from 'zod';

/** The algorithms that clients may sign assertions with (`private_key_jwt`); `none` and shared keys are not among them. */
export const CLIENT_SIGNING_ALGORITHMS = ['ES256', 'PS256', 'RS256', 'EdDSA'] as const;

const KEYS_MAX = 20;
const RSA_BITS_MIN = 2_048;
const SECRET_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];

const keySchema = z
  .looseObject({
    kty: z.enum(['EC', 'RSA', 'OKP']),
    kid: z.string().min(1).max(256).optional(),
    alg: z.enum(CLIENT_SIGNING_ALGORITHMS).optional(),
    use: z.literal('sig').optional(),
  })
  .refine((key) => SECRET_MEMBERS.every((member) => !(member in key)), 'a public key: this one has its private part')
  .refine(isUsableKey, 'a key on P-256, an RSA key of 2048 bits or more, or an Ed25519 key');

/** A client's public keys (RFC 7517): at most 20, each of a kind that can sign here, none with its private part. */
export const clientKeySetSchema = z.strictObject({ keys: z.array(keySchema).min(1).max(KEYS_MAX) });

/** A client's public keys. */
export type ClientKeySet = z.infer<typeof clientKeySetSchema>;

function isUsableKey(key: JsonWebKey): boolean {
  try {
    const { asymmetricKeyType: type, asymmetricKeyDetails: details } = createPublicKey({ key, format: 'jwk' });
    if (type === 'rsa') return (details?.modulusLength ?? 0) >= RSA_BITS_MIN;
    return type === 'ed25519' || (type === 'ec' && details?.namedCurve === 'prime256v1');
  } catch {
    return false;
  }
}
