/** The roles that a tenant's provider can give, strongest first; an owner is made and unmade by people alone. */
export const GROUP_ROLES = ['admin', 'developer', 'auditor', 'user'] as const;

/** A role that a tenant's provider can give. */
export type GroupRole = (typeof GROUP_ROLES)[number];
