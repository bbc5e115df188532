import type { Database, Transaction } from '#libs/database';
import { AppError } from '#libs/errors';
import type { ScopedTool, ToolAccess } from '#libs/identity';
import type { RouteBinding, ToolView } from '#libs/protocol';

/** A tool of a route: whose it is, what its server calls it, and whether it writes. */
export interface MountedTool extends ScopedTool {
  readonly serverSlug: string;
  /** Its annotations, and `method` where it is a request; undefined for a release from before these were kept. */
  readonly hints?: Readonly<Record<string, unknown>> | undefined;
}

/** A tool with its full name, its own behind the mount's prefix. */
export interface FullTool extends MountedTool {
  readonly full: string;
  /** Hash of what agents see of it; of its whole release where that is not known. */
  readonly digest: string;
}

/** All tools of a route's releases, and the view that its profile has of them. */
export interface RouteTools {
  readonly view: ToolView | undefined;
  readonly tools: readonly FullTool[];
  /** Whether a release is run by code of others or by other servers, which have more to list than tools. */
  readonly offersMore: boolean;
}

interface ReleaseRow {
  readonly id: string;
  readonly kind: string;
  readonly digest: string;
  readonly tools: Readonly<Record<string, ToolAccess>>;
  readonly digests: Readonly<Record<string, string>> | null;
  readonly hints: Readonly<Record<string, Readonly<Record<string, unknown>>>> | null;
}

/** Reads what a route is made of. @throws AppError not_found where a release is gone; unavailable where its profile is another by now */
export function findRouteTools(database: Database, route: RouteBinding): Promise<RouteTools> {
  return database.asTenant(route.tenantId, async (tx) => {
    const view = await findView(tx, route);
    const rows: ReleaseRow[] = await tx.query(
      `select id, kind, digest, tools, tool_digests as digests, tool_hints as hints from releases where tenant_id = $1 and id = any($2)`,
      [route.tenantId, route.mounts.map(({ releaseId }) => releaseId)],
    );
    const tools = toolsIn(route, new Map(rows.map((row) => [row.id, row])));
    return { view, tools, offersMore: rows.some(({ kind }) => kind !== 'openapi' && kind !== 'http') };
  });
}

async function findView(tx: Transaction, { tenantId, view }: RouteBinding): Promise<ToolView | undefined> {
  if (view === undefined) return undefined;
  const rows: Array<{ view: string }> = await tx.query(
    `select case when view_digest = $2 then view else previous_view end as view from profiles
     where tenant_id = $1 and $2 in (view_digest, previous_view_digest) limit 1`,
    [tenantId, view],
  );
  const [found] = rows;
  if (found === undefined) throw new AppError('unavailable', { retryAfterSeconds: 1 });
  return JSON.parse(found.view) as ToolView; // only our control-plane writes it
}

function toolsIn({ mounts }: RouteBinding, releases: ReadonlyMap<string, ReleaseRow>): FullTool[] {
  return mounts.flatMap(({ serverSlug, releaseId, prefix }) => {
    const release = releases.get(releaseId);
    if (release === undefined) throw new AppError('not_found');
    return Object.entries(release.tools).map(([name, access]) => ({
      name,
      access,
      serverSlug,
      full: `${prefix}${name}`,
      digest: release.digests?.[name] ?? release.digest,
      ...(release.hints === null ? {} : { hints: release.hints[name] ?? {} }),
    }));
  });
}
