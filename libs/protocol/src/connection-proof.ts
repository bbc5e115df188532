import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Secret } from '#libs/config';

/** The two sides of a connection between a caller and a runtime. */
export type Side = 'caller' | 'runtime';

/** A value that no other connection has: 256 random bits. */
export function newChallenge(): string {
  return randomBytes(32).toString('base64url');
}

/**
 * What one side of a connection shows for having the key that callers share with runtimes: an HMAC-SHA256 over the
 * challenges of both and over which side it is, so that it is of use on no other connection and not to the other side.
 */
export function connectionProof(key: Secret, side: Side, runtimesChallenge: string, callersChallenge: string): string {
  return createHmac('sha256', key.reveal())
    .update(JSON.stringify(['wharf connection', side, runtimesChallenge, callersChallenge]))
    .digest('base64url');
}

/** Whether a proof is the one expected. */
export function isProof(expected: string, given: unknown): boolean {
  const left = Buffer.from(expected);
  const right = Buffer.from(String(given));
  return left.length === right.length && timingSafeEqual(left, right);
}
