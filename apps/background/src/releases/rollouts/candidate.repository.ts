import type { Transaction } from '#libs/database';
import type { Rollout } from '#libs/rollouts';
import { contextVersion } from '#libs/supply';
import type { ReleaseSubject } from '../../release-worker/ask-release.js';

/** A release of a rollout as its worker can be asked; undefined where the tenant is suspended. */
export async function findSubjectOf(
  tx: Transaction,
  rollout: Rollout,
  which: 'candidate' | 'stable',
): Promise<ReleaseSubject | undefined> {
  const releaseId = which === 'candidate' ? rollout.candidateReleaseId : rollout.stableReleaseId;
  const { tenantId, serverId } = rollout;
  const rows: Array<Pick<ReleaseSubject, 'serverSlug' | 'digest' | 'writes'>> = await tx.query(
    `select s.slug as "serverSlug", s.writes, r.digest from releases r
     join servers s on s.tenant_id = r.tenant_id and s.id = r.server_id
     join tenants t on t.id = r.tenant_id and t.status = 'active'
     where r.tenant_id = $1 and r.id = $2 and s.id = $3`,
    [tenantId, releaseId, serverId],
  );
  const [row] = rows;
  if (row === undefined) return undefined;
  return { tenantId, releaseId, ...row, contextVersion: await contextVersion(tx, tenantId) };
}

/** Keeps the latest judgement of a step that goes on. */
export async function saveVerdict(tx: Transaction, rollout: Rollout, verdict: unknown): Promise<void> {
  await tx.query(`update rollouts set verdict = $3 where tenant_id = $1 and id = $2`, [
    rollout.tenantId,
    rollout.id,
    JSON.stringify(verdict),
  ]);
}
