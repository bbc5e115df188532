import { strictestGuard, type ResultGuard } from '#libs/protocol';
import type { TenantRoutes } from '../routing/tenants.repository.js';

/** What answers may hold that these servers have a part in. */
export function serversGuard(
  { servers }: Pick<TenantRoutes, 'servers'>,
  slugs: readonly string[],
): ResultGuard | undefined {
  return strictestGuard(servers.filter(({ slug }) => slugs.includes(slug)).map(({ resultGuard }) => resultGuard));
}
