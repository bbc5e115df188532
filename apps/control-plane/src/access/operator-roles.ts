import { PLATFORM_PERMISSIONS, type PlatformPermission } from './permissions.js';

/** Roles of operators, the one that may least first. */
export const OPERATOR_ROLES = ['support', 'operator', 'admin'] as const;
export type OperatorRole = (typeof OPERATOR_ROLES)[number];

/** What support sees: who the tenants are, what they use and whether they are well; nothing that is theirs. */
const SUPPORT: readonly PlatformPermission[] = [
  'platform.own',
  'platform.notices.read',
  'platform.tenants.read',
  'platform.plans.read',
  'platform.flags.read',
];

/** The one table of who may do what across tenants. */
export const HELD_BY_OPERATORS: Readonly<Record<OperatorRole, readonly PlatformPermission[]>> = {
  support: SUPPORT,
  // Accounts and keys are the admins', and so is everything of a tenant at once, its secrets among it, and whose it is.
  operator: PLATFORM_PERMISSIONS.filter(
    (permission) =>
      !/^platform\.(?:operators\.|tenants\.(?:(?:ex|im)port|owners)$|(?:signing|master|data)_keys\.write$)/.test(
        permission,
      ),
  ),
  admin: PLATFORM_PERMISSIONS,
};

/** The role that may less. */
export function lesserRole(one: OperatorRole, other: OperatorRole): OperatorRole {
  return OPERATOR_ROLES.indexOf(one) < OPERATOR_ROLES.indexOf(other) ? one : other;
}
