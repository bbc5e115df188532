import { randomUUID } from 'node:crypto';
import { exportJWK, generateKeyPair, SignJWT, type JWK } from 'jose';

/** A key pair that a client holds. */
export interface TestKey {
  readonly jwk: JWK;
  /** Signs claims with the key. */
  sign(claims: Record<string, unknown>, header?: Record<string, unknown>): Promise<string>;
}

/** A new key. */
export async function newKey(alg = 'ES256'): Promise<TestKey> {
  const { publicKey, privateKey } = await generateKeyPair(alg);
  const jwk = await exportJWK(publicKey);
  return {
    jwk,
    sign: (claims, header = {}) => new SignJWT(claims).setProtectedHeader({ alg, ...header }).sign(privateKey),
  };
}

/** The form fields of a client that authenticates by its key (RFC 7523), with what differs in the assertion. */
export async function assertionOf(
  key: TestKey,
  clientId: string,
  audience: string,
  changes: Record<string, unknown> = {},
): Promise<Record<string, string>> {
  const now = Math.floor(Date.now() / 1_000);
  const claims = {
    iss: clientId,
    sub: clientId,
    aud: audience,
    jti: randomUUID(),
    iat: now,
    exp: now + 60,
    ...changes,
  };
  return {
    client_id: clientId,
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: await key.sign(claims),
  };
}

/** A proof of possession for one request (RFC 9449 §4.2), with what differs. */
export function proofOf(key: TestKey, url: string, changes: Record<string, unknown> = {}): Promise<string> {
  const claims = { htm: 'POST', htu: url, jti: randomUUID(), iat: Math.floor(Date.now() / 1_000), ...changes };
  return key.sign(claims, { typ: 'dpop+jwt', jwk: key.jwk });
}
