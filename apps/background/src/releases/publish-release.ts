import type { z } from 'zod';
import { appendAudit, type AuditActor, type AuditEntry } from '#libs/audit';
import type { ChangeAnnouncer } from '#libs/changes';
import type { Transaction } from '#libs/database';
import { closeJob, publishReleaseJob } from '#libs/jobs';
import { keepOldMajor } from '#libs/rollouts';
import { contextVersion } from '#libs/supply';
import { JobRefused, type JobHandler, type JobRun } from '../jobs/job-handler.js';
import { findStep, refuseBreaking } from './breaking-change.js';
import type { ReleaseSubject } from '../release-worker/ask-release.js';
import {
  endPublishing,
  findSubject,
  isPublishing,
  isSuperseded,
  keepNotes,
  lockLiveRelease,
  makeLive,
  type PublishRequest,
} from './publishing.repository.js';
import { verifyRelease, type VerificationParts } from './verification/verify-release.js';

type Payload = z.infer<typeof publishReleaseJob.payload>;

/** What publishing works with. */
export interface PublishParts extends VerificationParts {
  readonly announcer: Pick<ChangeAnnouncer, 'announce'>;
}

/**
 * Makes a release live once its own worker serves what MCP says and its manifest promises, and the tenant's probes pass.
 *
 *     publishing ── probe passes ──► live ── another goes live ──► superseded
 *         ├── probe fails, or no worker after every attempt ──► rejected
 *         ├── a later request is live already ──► superseded
 *         └── rolled back meanwhile ──► as it was before the request
 *
 * Of several requests for one server the last one wins, whichever is carried out first. A server is locked while its
 * live release changes, and the job is closed in the same transaction, so that a later run finds it done.
 */
export class PublishRelease implements JobHandler<Payload> {
  readonly definition = publishReleaseJob;

  constructor(private readonly parts: PublishParts) {}

  async run(payload: Payload, run: JobRun): Promise<void> {
    const request = requestOf(payload, run);
    const candidate = await this.parts.database.asTenant(request.tenantId, (tx) => this.#findCandidate(tx, request));
    if (candidate === undefined) return;
    if (payload.acknowledgeBreaking !== true) await this.#refuseBreaking(request);
    const notes = await verifyRelease(this.parts, request, candidate, run.signal);
    await this.parts.database.asTenant(request.tenantId, (tx) => this.#publish(tx, request, payload, notes));
    await this.parts.announcer.announce(request.tenantId);
  }

  async giveUp(payload: Payload, run: JobRun, reason: string): Promise<void> {
    const request = requestOf(payload, run);
    await this.parts.database.asTenant(request.tenantId, async (tx) => {
      await lockLiveRelease(tx, request);
      if (await endPublishing(tx, request, { state: 'rejected', reason })) {
        await audit(tx, request, { event: 'release.rejected', actor: actorOf(payload), outcome: 'rejected', reason });
      }
      await closeJob(tx, request.tenantId, request.jobId, reason);
    });
  }

  /** What must be probed; undefined where nothing is left to do. */
  async #findCandidate(tx: Transaction, request: PublishRequest): Promise<ReleaseSubject | undefined> {
    const subject = await findSubject(tx, request);
    if (subject === undefined || (await this.#settled(tx, request)) === 'settled') return undefined;
    if (subject.tenantStatus === 'suspended')
      throw new JobRefused('The tenant was suspended before the release could go live.');
    return {
      tenantId: request.tenantId,
      serverSlug: subject.serverSlug,
      releaseId: request.releaseId,
      digest: subject.digest,
      writes: subject.writes,
      contextVersion: await contextVersion(tx, request.tenantId),
    };
  }

  async #refuseBreaking(request: PublishRequest): Promise<void> {
    const step = await this.parts.database.asTenant(request.tenantId, (tx) => findStep(tx, request));
    if (step !== undefined) await refuseBreaking(this.parts.supplier, request.tenantId, step);
  }

  async #publish(tx: Transaction, request: PublishRequest, payload: Payload, notes: readonly string[]): Promise<void> {
    if ((await this.#settled(tx, request)) === 'settled') return;
    await keepOldMajor(tx, request, payload.previousMajorUntil ?? null);
    await makeLive(tx, request);
    await keepNotes(tx, request, notes);
    await audit(tx, request, { event: 'release.published', actor: actorOf(payload), outcome: 'ok' });
    await closeJob(tx, request.tenantId, request.jobId);
  }

  /** Locks the server; closes the job where the release is live or withdrawn, or a later request is carried out. */
  async #settled(tx: Transaction, request: PublishRequest): Promise<'settled' | 'open'> {
    const server = await lockLiveRelease(tx, request);
    const live = server?.liveReleaseId === request.releaseId;
    const waiting = server !== undefined && !live && (await isPublishing(tx, request));
    if (waiting && !(await isSuperseded(tx, request))) return 'open';
    await endPublishing(tx, request, { state: live ? 'live' : 'superseded' });
    await closeJob(tx, request.tenantId, request.jobId);
    return 'settled';
  }
}

function requestOf({ tenantId, serverId, releaseId }: Payload, { jobId }: JobRun): PublishRequest {
  return { tenantId, serverId, releaseId, jobId };
}

function actorOf(payload: Payload): AuditActor {
  return payload.requestedBy as AuditActor; // written by the control plane in the transaction of the request
}

async function audit(
  tx: Transaction,
  request: PublishRequest,
  {
    reason,
    ...entry
  }: Pick<AuditEntry<'release.published' | 'release.rejected'>, 'event' | 'actor' | 'outcome'> & {
    readonly reason?: string;
  },
): Promise<void> {
  const details = { server_id: request.serverId, job_id: request.jobId, ...(reason === undefined ? {} : { reason }) };
  await appendAudit(tx, request.tenantId, [{ ...entry, target: `release:${request.releaseId}`, details }]);
}
