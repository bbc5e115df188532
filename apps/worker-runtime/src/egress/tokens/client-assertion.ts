import { createPrivateKey, randomUUID, type JsonWebKey, type KeyObject } from 'node:crypto';
import { SignJWT } from 'jose';
import type { Grant } from '#libs/protocol';
import { UpstreamFailure } from '../upstream-failure.js';

/** Where a form says what kind of assertion it holds (RFC 7523, 2.2). */
export const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

const LIFETIME = '60s';
const RSA_BITS_MIN = 2_048;
const CURVES: Readonly<Record<string, string>> = { prime256v1: 'ES256', secp384r1: 'ES384' };
const RSA_ALGORITHMS = new Set(['RS256', 'PS256']);

interface SigningKey {
  readonly key: KeyObject;
  readonly alg: string;
  readonly kid: string | undefined;
}

/**
 * The JWT by which a client proves itself with its private key (`private_key_jwt`: RFC 7523, 2.2 and 3; MCP extension
 * oauth-client-credentials), good for a minute and once. @throws UpstreamFailure no_credential, for a secret that is no such key
 */
export async function clientAssertion(
  { clientId, secret, tokenUrl, audience = tokenUrl }: Grant,
  value: string,
): Promise<string> {
  const found = signingKey(value);
  if (found === undefined)
    throw new UpstreamFailure(
      'no_credential',
      `The secret "${secret}" is no private key that can sign. The owner of this server writes it with PUT /v1/secrets/${secret}: ` +
        'a private JWK in one line, or PKCS#8 in PEM with \\n for its line ends; on P-256 or P-384, RSA of 2048 bits or more, or Ed25519.',
    );
  const { key, alg, kid } = found;
  return new SignJWT()
    .setProtectedHeader({ alg, typ: 'JWT', ...(kid === undefined ? {} : { kid }) })
    .setIssuer(clientId)
    .setSubject(clientId)
    .setAudience(audience)
    .setJti(randomUUID())
    .setIssuedAt()
    .setExpirationTime(LIFETIME)
    .sign(key);
}

/** The key in a secret, and how it signs; secrets are one line, so PEM has its line ends written as `\n`. */
function signingKey(value: string): SigningKey | undefined {
  try {
    const jwk = value.trimStart().startsWith('{') ? (JSON.parse(value) as JsonWebKey) : undefined; // Node refuses what is none
    const key =
      jwk === undefined
        ? createPrivateKey(value.replaceAll('\\n', '\n'))
        : createPrivateKey({ key: jwk, format: 'jwk' });
    const alg = algorithmOf(key, jwk?.['alg']);
    const kid = jwk?.['kid'];
    return alg === undefined ? undefined : { key, alg, kid: typeof kid === 'string' ? kid : undefined };
  } catch {
    return undefined; // what it is instead is nobody's to read
  }
}

function algorithmOf({ asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject, named: unknown) {
  if (type === 'ed25519') return 'EdDSA';
  if (type === 'ec') return CURVES[details?.namedCurve ?? ''];
  if (type !== 'rsa' || (details?.modulusLength ?? 0) < RSA_BITS_MIN) return undefined;
  return typeof named === 'string' && RSA_ALGORITHMS.has(named) ? named : 'RS256';
}
