import type { Transaction } from '#libs/database';
import { AppError } from '#libs/errors';
import type { Supplier } from '#libs/protocol';
import { judgeStep, listedToolsOf } from '#libs/release-diff';
import { JobRefused } from '../jobs/job-handler.js';
import type { PublishRequest } from './publishing.repository.js';

/** A server's live release beside the one that is to follow it. */
export interface StepSubjects {
  readonly live: { readonly version: string | null; readonly digest: string };
  readonly next: { readonly version: string | null; readonly digest: string };
}

/** What is live and what is to follow it; undefined where nothing else is live. */
export async function findStep(tx: Transaction, request: PublishRequest): Promise<StepSubjects | undefined> {
  const rows: StepSubjects[] = await tx.query(
    `select jsonb_build_object('version', l.version, 'digest', l.digest) as live,
       jsonb_build_object('version', n.version, 'digest', n.digest) as next
     from servers s
     join releases l on l.tenant_id = s.tenant_id and l.id = s.live_release_id
     join releases n on n.tenant_id = s.tenant_id and n.id = $3
     where s.tenant_id = $1 and s.id = $2 and l.id <> n.id`,
    [request.tenantId, request.serverId, request.releaseId],
  );
  return rows[0];
}

/**
 * Refuses what breaks agents of the release that is live by now: it may be another than when somebody asked.
 * @throws JobRefused naming the tools
 */
export async function refuseBreaking(supplier: Supplier, tenantId: string, step: StepSubjects): Promise<void> {
  const { manifests } = await supplier.supply(tenantId, [step.live.digest, step.next.digest], false);
  const versioned = ({ version, digest }: StepSubjects['live']) => {
    const manifest = manifests.get(digest);
    if (manifest === undefined) throw new AppError('internal', { detail: { digest } });
    return { version, tools: listedToolsOf(JSON.parse(manifest.toString())) };
  };
  const { refusal } = judgeStep(versioned(step.live), versioned(step.next));
  if (refusal !== undefined) throw new JobRefused(refusal);
}
