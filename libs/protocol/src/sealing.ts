import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Secret } from '#libs/config';
import { canonicalJson } from './canonical-json.js';
import type { CallerFrame, Envelope } from './messages.js';

/** HMAC-SHA256 over a frame's own text and its payload, with the key that our callers share with the runtime. */
export function signFrame(key: Secret, text: string, payload: Uint8Array): string {
  return createHmac('sha256', key.reveal()).update(text).update('\0').update(payload).digest('base64url');
}

/** Whether a frame was signed by one of our callers and not altered. */
export function verifyFrame(key: Secret, text: string, payload: Uint8Array, mac: string): boolean {
  const expected = Buffer.from(signFrame(key, text, payload));
  const given = Buffer.from(mac);
  return expected.length === given.length && timingSafeEqual(expected, given);
}

/** An envelope's text and signature, ready for a `call` frame. */
export function sealEnvelope(key: Secret, envelope: Envelope, payload: Uint8Array): { envelope: string; mac: string } {
  const text = JSON.stringify(envelope);
  return { envelope: text, mac: signFrame(key, text, payload) };
}

/** The envelope of a `call` frame, or undefined when it is forged, altered or past its deadline. */
export function openEnvelope(
  key: Secret,
  text: string,
  mac: string,
  payload: Uint8Array,
  nowMs: number,
): Envelope | undefined {
  if (!verifyFrame(key, text, payload, mac)) return undefined;
  const envelope = JSON.parse(text) as Envelope; // signed by our own caller a line above
  return envelope.deadlineMs > nowMs ? envelope : undefined;
}

type SealedFrame = Extract<CallerFrame, { t: 'supply' | 'build' | 'upstreams' | 'evict' }>;
type WithoutMac<Sealed> = Sealed extends unknown ? Omit<Sealed, 'mac'> : never;

/** A caller's frame before it is signed. */
export type UnsealedFrame = WithoutMac<SealedFrame>;

/** A caller's frame with its signature over every header field and the payload. */
export function sealFrame(key: Secret, frame: UnsealedFrame, payload: Uint8Array): SealedFrame {
  return { ...frame, mac: signFrame(key, canonicalJson(frame), payload) };
}

/** Whether a frame was sealed by one of our callers and not altered. */
export function isSealed(key: Secret, { mac, ...frame }: SealedFrame, payload: Uint8Array): boolean {
  return verifyFrame(key, canonicalJson(frame), payload, mac);
}
