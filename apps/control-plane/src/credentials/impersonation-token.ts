import { createHash, randomBytes } from 'node:crypto';

const PREFIX = 'whi_';
const SHAPE = /^whi_([\w-]{22})[\w-]{43}$/;

/** SHA-256 of a token's text in hex; it has 256 random bits, so a fast hash is enough. */
export function hashImpersonation(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Makes the token of an impersonation; its tenant's id is part of it, so that it is looked up among that tenant's only. */
export function mintImpersonation(tenantId: string): string {
  const tenant = Buffer.from(tenantId.replaceAll('-', ''), 'hex').toString('base64url');
  return `${PREFIX}${tenant}${randomBytes(32).toString('base64url')}`;
}

/** The tenant that a token says it is of; undefined where the text is none. */
export function tenantOfImpersonation(text: string): string | undefined {
  const encoded = SHAPE.exec(text)?.[1];
  const hex = encoded === undefined ? undefined : Buffer.from(encoded, 'base64url').toString('hex');
  return hex?.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
