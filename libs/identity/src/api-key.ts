import { createHash, randomBytes } from 'node:crypto';

const PREFIX = 'whk_';
const SHAPE = /^whk_([A-Za-z0-9_-]{22})([A-Za-z0-9_-]{43})$/;

/** A new API key: the text shown once, and what is stored of it. */
export interface NewApiKey {
  readonly text: string;
  /** SHA-256 of the whole text, in hex. */
  readonly hash: string;
  /** The first characters, to recognise the key by in lists. */
  readonly prefix: string;
}

/** SHA-256 of a key's text in hex. A key has 256 random bits, so a fast hash is enough. */
export function hashApiKey(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/**
 * Mints a key for a tenant. The tenant's id is part of the key, so that a key is only ever looked up among its own
 * tenant's keys.
 */
export function mintApiKey(tenantId: string): NewApiKey {
  const tenant = Buffer.from(tenantId.replaceAll('-', ''), 'hex').toString('base64url');
  const secret = randomBytes(32).toString('base64url');
  const text = `${PREFIX}${tenant}${secret}`;
  return { text, hash: hashApiKey(text), prefix: `${PREFIX}…${secret.slice(0, 6)}` };
}

/** The tenant a key says it belongs to, or undefined where the text is no API key. */
export function tenantOfApiKey(text: string): string | undefined {
  const encoded = SHAPE.exec(text)?.[1];
  if (encoded === undefined) return undefined;
  const hex = Buffer.from(encoded, 'base64url').toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
