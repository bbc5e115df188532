import { createHmac } from 'node:crypto';
import type { Secret } from '#libs/config';

/**
 * The services' own database roles: none owns a table, none bypasses row-level security. `wharf_life_cycle` is the
 * background service's second one: it reads, writes and deletes every table
 * of the one tenant that is exported, imported or deleted.
 * `wharf_mover` is its third: it reads, writes and deletes every table of a tenant that is not at home where it works.
 */
export const DATABASE_ROLES = [
  'wharf_auth',
  'wharf_control',
  'wharf_operator',
  'wharf_gateway',
  'wharf_background',
  'wharf_life_cycle',
  'wharf_mover',
] as const;

/** One service's database role. */
export type DatabaseRole = (typeof DATABASE_ROLES)[number];

/** The password of a role, derived from the master key so that one secret starts the platform. */
export function rolePassword(masterKey: Secret, role: DatabaseRole): string {
  return createHmac('sha256', masterKey.reveal()).update(`database-role:${role}`).digest('base64url');
}

/**
 * The URL a service connects with: `databaseUrl` where it already names the role (hardened production: each service
 * gets its own URL), else with the role and its derived password in place of the owner's. It names no application: a
 * connection is called as the service says, for others tell by its name who is there.
 */
export function urlForRole(databaseUrl: string, role: DatabaseRole, masterKey: Secret): string {
  const url = new URL(databaseUrl);
  const names = url.searchParams.has('application_name');
  if (names) url.searchParams.delete('application_name');
  if (url.username === role) return names ? url.toString() : databaseUrl;
  url.username = role;
  url.password = rolePassword(masterKey, role);
  return url.toString();
}
