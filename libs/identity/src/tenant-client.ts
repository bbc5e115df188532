import { createHash, randomBytes } from 'node:crypto';

const SHAPE = /^wcl_([A-Za-z0-9_-]{22})[A-Za-z0-9_-]{22}$/;

/** A new client secret: the text shown once, and what is stored of it. */
export interface NewClientSecret {
  readonly text: string;
  /** SHA-256 of the whole text, in hex. */
  readonly hash: string;
}

/**
 * A new `client_id` for a client of a tenant. The tenant's id is part of it, so that a client is only ever looked up
 * among its own tenant's; and it is no UUID, so that no client's `sub` is a person's (RFC 9700 §4.15).
 */
export function mintClientId(tenantId: string): string {
  const tenant = Buffer.from(tenantId.replaceAll('-', ''), 'hex').toString('base64url');
  return `wcl_${tenant}${randomBytes(16).toString('base64url')}`;
}

/** The tenant that a `client_id` says it belongs to; undefined for clients that are no tenant's. */
export function tenantOfClient(clientId: string): string | undefined {
  const encoded = SHAPE.exec(clientId)?.[1];
  if (encoded === undefined) return undefined;
  const hex = Buffer.from(encoded, 'base64url').toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** A new client secret of 256 random bits. */
export function mintClientSecret(): NewClientSecret {
  const text = `wcs_${randomBytes(32).toString('base64url')}`;
  return { text, hash: hashClientSecret(text) };
}

/** SHA-256 of a secret's text in hex. A secret has 256 random bits, so a fast hash is enough. */
export function hashClientSecret(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
