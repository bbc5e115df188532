import { storableText } from '#libs/audit';
import type { Transaction } from '#libs/database';
import type { Problem } from '#libs/errors';
import type { BuildReport, RemoteManifest } from '#libs/protocol';
import type { Drift } from './drift.js';

/** What a tenant wants done where an upstream of a server changes. */
export type DriftPolicy = 'auto' | 'approve' | 'reject';

/** A server whose live release has upstream servers. */
export interface WatchedServer {
  readonly tenantId: string;
  readonly serverId: string;
  readonly serverSlug: string;
  readonly policy: DriftPolicy;
  /** The live release. */
  readonly releaseId: string;
  readonly digest: string;
  readonly version: string | null;
  /** What it was built from; null where that was not kept. */
  readonly source: unknown;
}

/** What a look at a server's upstreams came to. */
export type Finding =
  | { readonly kind: 'same' }
  | { readonly kind: 'unreachable' | 'unknown'; readonly detail: string }
  | { readonly kind: 'unusable'; readonly problems: readonly Problem[] }
  | {
      readonly kind: 'drifted';
      readonly fingerprint: string;
      readonly drift: Drift;
      readonly built: {
        readonly manifest: Buffer;
        readonly parsed: RemoteManifest;
        readonly digest: string;
        readonly report: BuildReport;
      };
    };

/** What is left of a look in its server's row. */
export type WatchOutcome = Finding['kind'] | 'flapping';

/** A server that is watched, with its live release; undefined where there is nothing to look at. */
export async function findWatched(
  tx: Transaction,
  { tenantId, serverId }: Pick<WatchedServer, 'tenantId' | 'serverId'>,
): Promise<WatchedServer | undefined> {
  const rows: WatchedServer[] = await tx.query(
    `select s.tenant_id as "tenantId", s.id as "serverId", s.slug as "serverSlug", w.policy, r.id as "releaseId",
       r.digest, r.version, r.source
     from servers s
     join tenants t on t.id = s.tenant_id and t.status = 'active'
     join drift_watches w on w.tenant_id = s.tenant_id and w.server_id = s.id
     join releases r on r.tenant_id = s.tenant_id and r.id = s.live_release_id and r.kind = 'remote'
     where s.tenant_id = $1 and s.id = $2`,
    [tenantId, serverId],
  );
  return rows[0];
}

/** Locks the server until the transaction ends; false where another release is live by now. */
export async function lockBase(
  tx: Transaction,
  { tenantId, serverId, releaseId }: Pick<WatchedServer, 'tenantId' | 'serverId' | 'releaseId'>,
): Promise<boolean> {
  const rows: unknown[] = await tx.query(
    `select from servers where tenant_id = $1 and id = $2 and live_release_id = $3 for update`,
    [tenantId, serverId, releaseId],
  );
  return rows.length > 0;
}

/** Notes when a server was looked at and what came of it. */
export async function noteLook(
  tx: Transaction,
  { tenantId, serverId }: Pick<WatchedServer, 'tenantId' | 'serverId'>,
  outcome: WatchOutcome,
  detail: string | null = null,
): Promise<void> {
  await tx.query(
    `update drift_watches set checked_at = now(), outcome = $3, detail = $4 where tenant_id = $1 and server_id = $2`,
    [tenantId, serverId, outcome, detail === null ? null : storableText(detail)],
  );
}
