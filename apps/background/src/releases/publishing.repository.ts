import type { Transaction } from '#libs/database';
import { publishReleaseJob } from '#libs/jobs';

/** What a publish request is about. */
export interface PublishRequest {
  readonly tenantId: string;
  readonly serverId: string;
  readonly releaseId: string;
  readonly jobId: string;
}

/** A release that may go live, as it stands before its probe. */
export interface PublishSubject {
  readonly serverSlug: string;
  readonly digest: string;
  /** Whether its agents may call tools that write. */
  readonly writes: boolean;
  readonly tenantStatus: 'active' | 'suspended';
}

/** A request's release with its server and tenant; undefined when either was deleted. */
export async function findSubject(tx: Transaction, request: PublishRequest): Promise<PublishSubject | undefined> {
  const rows: PublishSubject[] = await tx.query(
    `select s.slug as "serverSlug", s.writes, r.digest, t.status as "tenantStatus"
     from releases r
     join servers s on s.tenant_id = r.tenant_id and s.id = r.server_id
     join tenants t on t.id = r.tenant_id
     where r.tenant_id = $1 and r.id = $2 and s.id = $3`,
    [request.tenantId, request.releaseId, request.serverId],
  );
  return rows[0];
}

/** The server's live release; locks the server until the transaction ends. Undefined when the server was deleted. */
export async function lockLiveRelease(
  tx: Transaction,
  request: PublishRequest,
): Promise<{ readonly liveReleaseId: string | null } | undefined> {
  const rows: Array<{ liveReleaseId: string | null }> = await tx.query(
    `select live_release_id as "liveReleaseId" from servers where tenant_id = $1 and id = $2 for update`,
    [request.tenantId, request.serverId],
  );
  return rows[0];
}

/** Whether the release still waits to go live: a rollback in between has withdrawn it. */
export async function isPublishing(tx: Transaction, request: PublishRequest): Promise<boolean> {
  const rows: unknown[] = await tx.query(
    `select from releases where tenant_id = $1 and id = $2 and state = 'publishing'`,
    [request.tenantId, request.releaseId],
  );
  return rows.length > 0;
}

/** Whether a request that came after this one has been carried out for the same server. */
export async function isSuperseded(tx: Transaction, request: PublishRequest): Promise<boolean> {
  const rows: unknown[] = await tx.query(
    `select from outbox
     where tenant_id = $1 and name = $2 and payload ->> 'serverId' = $3
       and (created_at, id) > (select created_at, id from outbox where tenant_id = $1 and id = $4)
       and completed_at is not null and failure is null
     limit 1`,
    [request.tenantId, publishReleaseJob.name, request.serverId, request.jobId],
  );
  return rows.length > 0;
}

/** Keeps what verification found that did not keep the release from going live. */
export async function keepNotes(tx: Transaction, request: PublishRequest, notes: readonly string[]): Promise<void> {
  await tx.query(
    `update releases set verification = jsonb_build_object('checked_at', now(), 'notes', $3::jsonb)
     where tenant_id = $1 and id = $2`,
    [request.tenantId, request.releaseId, JSON.stringify(notes)],
  );
}

/** Points the server at the release and moves both releases to their new states. The server is locked by the caller. */
export async function makeLive(tx: Transaction, request: PublishRequest): Promise<void> {
  const { tenantId, serverId, releaseId } = request;
  await tx.query(
    `update releases set state = 'superseded' where tenant_id = $1 and id =
       (select live_release_id from servers where tenant_id = $1 and id = $2)`,
    [tenantId, serverId],
  );
  await tx.query(
    `update servers set previous_release_id = live_release_id, live_release_id = $3 where tenant_id = $1 and id = $2`,
    [tenantId, serverId, releaseId],
  );
  await tx.query(
    `update releases set state = 'live', published_at = now(), rejection = null, withdrawn_at = null
     where tenant_id = $1 and id = $2`,
    [tenantId, releaseId],
  );
}

/** Ends a release's publishing without its going live. False where the release was not publishing. */
export async function endPublishing(
  tx: Transaction,
  request: PublishRequest,
  end: { readonly state: 'live' | 'superseded' } | { readonly state: 'rejected'; readonly reason: string },
): Promise<boolean> {
  const rejection = end.state === 'rejected' ? JSON.stringify({ reason: end.reason }) : null;
  const [, changed] = await tx.query(
    `update releases set state = $3, rejection = $4::jsonb where tenant_id = $1 and id = $2 and state = 'publishing'`,
    [request.tenantId, request.releaseId, end.state, rejection],
  );
  return changed > 0;
}
