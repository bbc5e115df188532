import type { Database } from '#libs/database';
import { routeKey, type Mount, type RouteBinding } from '#libs/protocol';
import type { RoutedUrl } from '../routing/profiles.js';
import { nameMaxAt } from '../routing/route-table.js';
import type { SessionPlace } from './session-ids.js';

/** Rebuilds the route of a session that only its id still tells of; undefined where a release is gone. */
export async function findSessionRoute(
  database: Database,
  tenantId: string,
  target: RoutedUrl,
  releases: NonNullable<SessionPlace['releases']>,
  view: string | undefined,
): Promise<RouteBinding | undefined> {
  const rows: Array<{ id: string; digest: string; slug: string }> = await database.asTenant(tenantId, (tx) =>
    tx.query(
      `select r.id, r.digest, s.slug from releases r
       join servers s on s.tenant_id = r.tenant_id and s.id = r.server_id
       where r.tenant_id = $1 and r.id = any($2)`,
      [tenantId, releases.map(({ id }) => id)],
    ),
  );
  const found = new Map(rows.map((row) => [row.id, row]));
  const mounts: Mount[] = [];
  for (const { id, only } of releases) {
    const row = found.get(id);
    if (row === undefined) return undefined;
    const prefix = target.serverSlug === undefined ? `${row.slug}__` : '';
    mounts.push({
      serverSlug: row.slug,
      releaseId: id,
      digest: row.digest,
      prefix,
      ...(only && { only }),
      ...nameMaxAt(target),
    });
  }
  return { tenantId, mounts, key: routeKey(tenantId, mounts, view), ...(view === undefined ? {} : { view }) };
}
