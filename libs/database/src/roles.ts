import { createHmac } from 'node:crypto';
import type { Secret } from '#libs/config';

/** The services' own database roles: none owns a table, none bypasses row-level security. */
export const DATABASE_ROLES = [
  'wharf_auth',
  'wharf_control',
  'wharf_operator',
  'wharf_gateway',
  'wharf_background',
] as const;

/** One service's database role. */
export type DatabaseRole = (typeof DATABASE_ROLES)[number];

/** The password of a role, derived from the master key so that one secret starts the platform. */
export function rolePassword(masterKey: Secret, role: DatabaseRole): string {
  return createHmac('sha256', masterKey.reveal()).update(`database-role:${role}`).digest('base64url');
}

/**
 * The URL a service connects with: `databaseUrl` as it is where it already names the role (hardened production:
 * each service gets its own URL), else with the role and its derived password in place of the owner's.
 */
export function urlForRole(databaseUrl: string, role: DatabaseRole, masterKey: Secret): string {
  const url = new URL(databaseUrl);
  if (url.username === role) return databaseUrl;
  url.username = role;
  url.password = rolePassword(masterKey, role);
  return url.toString();
}
