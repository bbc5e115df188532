import { createHash } from 'node:crypto';

/** Where a session is kept in Redis; its id is not readable there. */
export function sessionKey(tenantId: string, id: string): string {
  return `session:{${tenantId}}:${sessionDigest(id)}`;
}

/** Where a tenant's sessions are listed in Redis by when they were used; with a principal, that principal's. */
export function sessionsOfKey(tenantId: string, principalBinding?: string): string {
  const own = principalBinding === undefined ? '' : `:${sessionDigest(principalBinding)}`;
  return `sessions-of:{${tenantId}}${own}`;
}

/** What a session is called where its id, which is a credential, must not be shown. */
export function sessionDigest(id: string): string {
  return createHash('sha256').update(id).digest('base64url');
}
