import { PLATFORM_PERMISSIONS, whyPersonsAlone, type PlatformPermission } from './permissions.js';

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

/** What is the admins': accounts and keys, everything of a tenant at once with its secrets, and what cannot be taken back. */
const ADMINS_ALONE: ReadonlySet<PlatformPermission> = new Set([
  'platform.operators.read',
  'platform.operators.write',
  'platform.signing_keys.write',
  'platform.master_keys.write',
  'platform.data_keys.write',
  'platform.tenants.export',
  'platform.tenants.import',
  'platform.tenants.owners',
  'platform.tenants.delete',
  'platform.holds.write',
  'platform.holds.lift',
]);

/** The one table of who may do what across tenants. */
export const HELD_BY_OPERATORS: Readonly<Record<OperatorRole, readonly PlatformPermission[]>> = {
  support: SUPPORT,
  operator: PLATFORM_PERMISSIONS.filter((permission) => !ADMINS_ALONE.has(permission)),
  admin: PLATFORM_PERMISSIONS,
};

/** What a program holds that has a key of a role: not what needs a person's own judgement. */
export function heldByKeyOf(role: OperatorRole): readonly PlatformPermission[] {
  return HELD_BY_OPERATORS[role].filter((permission) => whyPersonsAlone(permission) === undefined);
}

/** The role that may less. */
export function lesserRole(one: OperatorRole, other: OperatorRole): OperatorRole {
  return OPERATOR_ROLES.indexOf(one) < OPERATOR_ROLES.indexOf(other) ? one : other;
}
