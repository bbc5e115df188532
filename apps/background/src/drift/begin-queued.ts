import { appendAudit } from '#libs/audit';
import { atHome, newId, type Database, type Transaction } from '#libs/database';
import { enqueue, startRolloutJob } from '#libs/jobs';
import { readManifest, type Supplier } from '#libs/protocol';
import {
  CONTROLLER,
  DEFAULT_DRAIN_SECONDS,
  DEFAULT_STEPS,
  DEFAULT_THRESHOLDS,
  findHold,
  findOpenRollout,
  isPublishing,
  storeRollout,
  toolsOfBoth,
  type ToolsOfBoth,
} from '#libs/rollouts';
import { lockBase } from './watched-server.js';

const REASON = 'The server’s policy lets compatible changes out by themselves.';

/** A candidate that may go out by itself. */
export interface QueuedCandidate {
  readonly tenantId: string;
  readonly id: string;
  readonly serverId: string;
  readonly baseReleaseId: string;
  readonly releaseId: string;
  readonly baseDigest: string;
  readonly digest: string;
}

/** Candidates of all tenants that wait for their rollout. Runs as the background service. */
export async function findQueued(
  tx: Transaction,
  max: number,
  region?: string,
): Promise<Array<{ tenantId: string; id: string }>> {
  return tx.query(
    `select tenant_id as "tenantId", id from drift_candidates where state = 'queued'
       and ${atHome('drift_candidates.tenant_id', '$2')} order by seen_at limit $1`,
    [max, region ?? null],
  );
}

/**
 * Begins the rollout of a queued candidate where its server's schedule and other rollouts let it; where another release is
 * live by now, the candidate is superseded. Whatever keeps it waiting stands in its row.
 */
export async function beginQueued(
  { database, supplier }: { readonly database: Database; readonly supplier: Supplier },
  { tenantId, id }: { readonly tenantId: string; readonly id: string },
): Promise<void> {
  const seen = await database.asTenant(tenantId, (tx) => findCandidate(tx, tenantId, id));
  if (seen === undefined) return;
  const tools = await toolsOf(supplier, seen);
  await database.asTenant(tenantId, async (tx) => {
    const isBase = await lockBase(tx, { ...seen, releaseId: seen.baseReleaseId });
    const candidate = await findCandidate(tx, tenantId, id);
    if (candidate === undefined) return;
    if (!isBase) return settle(tx, candidate, 'superseded', null);
    const wait = await findWait(tx, candidate);
    if (wait !== undefined) return settle(tx, candidate, 'queued', wait);
    await begin(tx, candidate, tools);
  });
}

async function findCandidate(tx: Transaction, tenantId: string, id: string): Promise<QueuedCandidate | undefined> {
  const rows: QueuedCandidate[] = await tx.query(
    `select c.tenant_id as "tenantId", c.id, c.server_id as "serverId", c.base_release_id as "baseReleaseId",
       c.release_id as "releaseId", b.digest as "baseDigest", r.digest
     from drift_candidates c
     join tenants t on t.id = c.tenant_id and t.status = 'active'
     join releases b on b.tenant_id = c.tenant_id and b.id = c.base_release_id
     join releases r on r.tenant_id = c.tenant_id and r.id = c.release_id
     where c.tenant_id = $1 and c.id = $2 and c.state = 'queued'`,
    [tenantId, id],
  );
  return rows[0];
}

async function toolsOf(supplier: Supplier, { tenantId, baseDigest, digest }: QueuedCandidate): Promise<ToolsOfBoth> {
  const { manifests } = await supplier.supply(tenantId, [baseDigest, digest], false);
  const read = (of: string) => readManifest(manifests.get(of) ?? '{}').tools;
  return toolsOfBoth(read(baseDigest), read(digest));
}

/** Why the rollout cannot begin now; undefined where it can. */
async function findWait(
  tx: Transaction,
  { tenantId, serverId, releaseId }: QueuedCandidate,
): Promise<string | undefined> {
  const hold = await findHold(tx, tenantId, serverId);
  if (hold !== undefined) return hold;
  const open = await findOpenRollout(tx, tenantId, serverId);
  if (open !== undefined) return `Rollout ${open.id} is ${open.state}.`;
  if (await isPublishing(tx, tenantId, serverId)) return 'A release is being published.';
  const fit: unknown[] = await tx.query(
    `select from releases where tenant_id = $1 and id = $2 and state in ('ready', 'superseded')`,
    [tenantId, releaseId],
  );
  return fit.length > 0 ? undefined : 'Its release is in use or was rejected; approve or refuse it yourself.';
}

async function settle(
  tx: Transaction,
  { tenantId, id }: QueuedCandidate,
  state: 'queued' | 'superseded',
  reason: string | null,
): Promise<void> {
  await tx.query(
    `update drift_candidates set state = $3, reason = $4 where tenant_id = $1 and id = $2
       and (state, reason) is distinct from ($3, $4)`,
    [tenantId, id, state, reason],
  );
}

async function begin(tx: Transaction, candidate: QueuedCandidate, tools: ToolsOfBoth): Promise<void> {
  const { tenantId, id, serverId, baseReleaseId, releaseId } = candidate;
  const rolloutId = newId();
  await storeRollout(tx, tenantId, {
    id: rolloutId,
    serverId,
    stableReleaseId: baseReleaseId,
    candidateReleaseId: releaseId,
    strategy: 'canary',
    steps: DEFAULT_STEPS.canary,
    drainSeconds: DEFAULT_DRAIN_SECONDS,
    previousMajorUntil: undefined,
    overrideSchedule: false,
    thresholds: DEFAULT_THRESHOLDS,
    tools: tools.all,
    readOnlyTools: tools.readOnly,
    shadowsSessions: false,
    createdBy: CONTROLLER,
  });
  await enqueue(tx, tenantId, startRolloutJob, { tenantId, rolloutId });
  await tx.query(
    `update drift_candidates set state = 'rolling_out', reason = $3, rollout_id = $4, decided_by = $5, decided_at = now()
     where tenant_id = $1 and id = $2`,
    [tenantId, id, REASON, rolloutId, JSON.stringify(CONTROLLER)],
  );
  const details = { server: serverId, base: baseReleaseId, release: releaseId, reason: REASON, rollout: rolloutId };
  await appendAudit(tx, tenantId, [
    { event: 'drift.approved', actor: CONTROLLER, target: `server:${serverId}`, outcome: 'ok', details },
    {
      event: 'rollout.created',
      actor: CONTROLLER,
      target: `rollout:${rolloutId}`,
      outcome: 'ok',
      details: {
        server: serverId,
        release: releaseId,
        strategy: 'canary',
        steps: DEFAULT_STEPS.canary,
        acknowledge_breaking: false,
        override_schedule: false,
        effect: 'compatible',
      },
    },
  ]);
}
