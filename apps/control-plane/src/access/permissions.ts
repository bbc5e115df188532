import { SetMetadata } from '@nestjs/common';

/** Where a handler's permission, or the reason for having none, is kept. */
export const PERMISSION = 'wharf:permission';
export const PUBLIC = 'wharf:public';
/** Where it is kept that a route answers a tenant that is to be deleted. */
export const OPEN_WHILE_DELETING = 'wharf:open-while-deleting';

/** What may be done within a tenant. */
export const TENANT_PERMISSIONS = [
  'tenant.read',
  'tenant.write',
  'tenant.export',
  'tenant.delete',
  'tenant.restore',
  'members.read',
  'members.write',
  'identity_providers.read',
  'identity_providers.write',
  'api_keys.read',
  'api_keys.write',
  'clients.read',
  'clients.write',
  'servers.read',
  'servers.write',
  'servers.people.read',
  'servers.people.write',
  'releases.read',
  'releases.write',
  'secrets.read',
  'secrets.write',
  'artefacts.read',
  'artefacts.write',
  'documents.read',
  'documents.write',
  'connectors.read',
  'connectors.write',
  'connections.read',
  'connections.own',
  'audit.read',
  'audit.erase',
  'webhooks.read',
  'webhooks.write',
  'usage.read',
  'call_limits.read',
  'call_limits.write',
  'policies.read',
  'policies.write',
  'approvals.read',
  'approvals.decide',
] as const;

/** What may be done across tenants, by operators. */
export const PLATFORM_PERMISSIONS = [
  'platform.tenants.read',
  'platform.tenants.write',
  'platform.tenants.export',
  'platform.tenants.import',
  'platform.tenants.owners',
  'platform.tenants.delete',
  'platform.tenants.restore',
  'platform.tenants.home',
  'platform.holds.write',
  'platform.holds.lift',
  'platform.plans.read',
  'platform.plans.write',
  'platform.flags.read',
  'platform.flags.write',
  'platform.egress.read',
  'platform.egress.write',
  'platform.data_keys.read',
  'platform.data_keys.write',
  'platform.master_keys.read',
  'platform.master_keys.write',
  'platform.signing_keys.read',
  'platform.signing_keys.write',
  'platform.actions.read',
  'platform.impersonations.read',
  'platform.impersonations.write',
  'platform.runtimes.read',
  'platform.runtimes.write',
  'platform.sessions.read',
  'platform.sessions.write',
  'platform.breakers.read',
  'platform.breakers.write',
  'platform.jobs.read',
  'platform.jobs.write',
  'platform.notices.read',
  'platform.notices.write',
  'platform.own',
  'platform.operators.read',
  'platform.operators.write',
] as const;

export type TenantPermission = (typeof TENANT_PERMISSIONS)[number];
export type PlatformPermission = (typeof PLATFORM_PERMISSIONS)[number];
export type Permission = TenantPermission | PlatformPermission;

/** Who holds permissions within a tenant: a member by role, or a key with the scope `management`. */
export type Holder = 'owner' | 'admin' | 'developer' | 'auditor' | 'user' | 'api_key';

/** What the owners decide alone: what leaves with a whole tenant, and whether there goes on being one. */
const OWNERS_ALONE: ReadonlySet<TenantPermission> = new Set(['tenant.export', 'tenant.delete', 'tenant.restore']);

/** What needs a person's own judgement, and why no key has it: whoever holds an agent's or a program's key may hold this one too. */
const PERSONS_ALONE: ReadonlyMap<Permission, string> = new Map([
  [
    'approvals.decide',
    'A person must decide on a call that waits for approval, and an API key is none. ' +
      'An owner or admin signs in (`wharf login`) and decides with `wharf approvals`, or with their own access token.',
  ],
  [
    'platform.holds.lift',
    'Who lifts a legal hold has signed in: what was held back is deleted then, and no key does that. Use POST /admin/v1/sign-in first.',
  ],
]);

/** What to tell a caller who is no person and asked for what only persons may; undefined for everything else. */
export function whyPersonsAlone(permission: Permission): string | undefined {
  return PERSONS_ALONE.get(permission);
}

/** The one table of who may do what within a tenant. */
export const HELD: Readonly<Record<Holder, readonly TenantPermission[]>> = {
  owner: TENANT_PERMISSIONS,
  admin: TENANT_PERMISSIONS.filter((permission) => !OWNERS_ALONE.has(permission)),
  developer: [
    'tenant.read',
    'servers.read',
    'servers.write',
    'releases.read',
    'releases.write',
    'secrets.read',
    'secrets.write',
    'artefacts.read',
    'artefacts.write',
    'documents.read',
    'documents.write',
    'connectors.read',
    'connectors.write',
    'connections.own',
  ],
  auditor: [
    'tenant.read',
    'members.read',
    'identity_providers.read',
    'api_keys.read',
    'clients.read',
    'servers.read',
    'servers.people.read',
    'releases.read',
    'secrets.read',
    'artefacts.read',
    'connectors.read',
    'connections.read',
    'connections.own',
    'audit.read',
    'webhooks.read',
    'usage.read',
    'call_limits.read',
    'policies.read',
    'approvals.read',
  ],
  user: ['connections.own'],
  api_key: TENANT_PERMISSIONS.filter(
    (permission) =>
      !permission.startsWith('members.') &&
      permission !== 'connections.own' &&
      !OWNERS_ALONE.has(permission) &&
      !PERSONS_ALONE.has(permission),
  ),
};

const ROLES = ['owner', 'admin', 'developer', 'auditor', 'user'] as const;

/** Which members hold a permission, by their role. */
export function rolesWith(permission: TenantPermission): string[] {
  return ROLES.filter((role) => HELD[role].includes(permission));
}

/** What an operator who looks at a tenant holds there. */
export const READS: readonly TenantPermission[] = TENANT_PERMISSIONS.filter((permission) =>
  permission.endsWith('.read'),
);

/** Whether a request is one that an operator who looks at a tenant may make: it reads, whatever its permission is called. */
export function isLook(method: string, permission: Permission | undefined): boolean {
  return method === 'GET' && READS.some((read) => read === permission);
}

/** Whether a permission is an operator's. */
export function isPlatformPermission(permission: Permission): permission is PlatformPermission {
  return permission.startsWith('platform.');
}

/** Lets a route be called only with this permission. */
export const RequirePermission = (permission: Permission): MethodDecorator => SetMetadata(PERMISSION, permission);

/** Lets a route be called by anyone, for a reason that a reviewer can judge. */
export const Public = (reason: string): MethodDecorator => SetMetadata(PUBLIC, reason);

/** Lets a route answer a tenant that is to be deleted, which everything else refuses. */
export const OpenWhileDeleting = (): MethodDecorator => SetMetadata(OPEN_WHILE_DELETING, true);
