import { environmentOf } from '#libs/protocol';
import type { TenantUrl } from '../edge/tenant-url.js';
import type { AuditMode, EnvironmentBounds, LiveServer, TenantRoutes } from './tenants.repository.js';

const LEAST_SAFE_FIRST: readonly AuditMode[] = ['process', 'disk', 'database'];

/** What holds in the environment that a URL leads to, beside the plan; undefined in production. */
export function boundsAt(tenant: TenantRoutes, { serverSlug }: TenantUrl): EnvironmentBounds | undefined {
  if (serverSlug === undefined || environmentOf(serverSlug) === undefined) return undefined;
  return tenant.servers.find(({ slug }) => slug === serverSlug)?.bounds ?? undefined;
}

/** How safe the record of a call is: as the plan has it, or less where its environment says so. */
export function auditModeOf({ auditMode }: TenantRoutes, server: LiveServer | undefined): AuditMode {
  const chosen = server?.bounds?.auditMode ?? auditMode;
  return LEAST_SAFE_FIRST.find((mode) => mode === chosen || mode === auditMode) ?? auditMode;
}
