import type { Redaction } from '../egress/redaction.js';

/**
 * A JSON message without secrets. Where one may be in it, its texts are looked at one by one, so that what is left is JSON
 * whatever the secret is made of; a message that is no JSON is cut as it is.
 */
export function redactedMessage(payload: Buffer, redaction: Redaction): Buffer {
  const cut = redaction.bytes(payload);
  if (cut === payload) return payload;
  try {
    const message: unknown = JSON.parse(payload.toString('utf8'));
    return Buffer.from(JSON.stringify(message, (_name, value: unknown) => redactedValue(value, redaction)));
  } catch {
    return cut;
  }
}

function redactedValue(value: unknown, redaction: Redaction): unknown {
  if (typeof value === 'string') return redaction.text(value);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [redaction.text(name), member]));
}
