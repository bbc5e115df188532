import { Inject, Injectable } from '@nestjs/common';
import { appendAudit } from '#libs/audit';
import type { Database, Transaction } from '#libs/database';
import { AppError } from '#libs/errors';
import { actorOf, doneBy, type TenantCaller } from '../access/caller.js';
import type { AnswerOf, InputOf } from '../contract/contract.js';
import { TENANT_DATABASE } from '../platform/tokens.js';
import { ReleasesRepository } from '../releases/releases.repository.js';
import { RolloutsService } from '../rollouts/rollouts.service.js';
import { ServersRepository, type LockedServer } from '../servers/servers.repository.js';
import { DriftRepository, type CandidateRow } from './drift.repository.js';
import type { approveCandidate, refuseCandidate } from './drift.schema.js';
import { candidateView } from './drift-view.js';

type Where = InputOf<typeof refuseCandidate>['params'];

const APPROVED = 'Somebody approved it.';

/** Approves and refuses what upstreams list. @throws AppError `not_found`, or `conflict` from where a candidate stands */
@Injectable()
export class DriftDecisions {
  constructor(
    @Inject(TENANT_DATABASE) private readonly database: Database,
    @Inject(ServersRepository) private readonly servers: ServersRepository,
    @Inject(DriftRepository) private readonly drift: DriftRepository,
    @Inject(ReleasesRepository) private readonly releases: ReleasesRepository,
    @Inject(RolloutsService) private readonly rollouts: RolloutsService,
  ) {}

  /** Begins the rollout of a candidate's release, in the transaction that keeps the decision. */
  async approve(
    caller: TenantCaller,
    where: Where,
    manner: InputOf<typeof approveCandidate>['body'],
  ): Promise<AnswerOf<typeof approveCandidate>> {
    const { tenantId } = caller;
    return this.database.asTenant(tenantId, async (tx) => {
      const { server, row } = await this.#lock(tx, tenantId, where);
      const release = await this.releases.find(tx, tenantId, server.id, releaseToApprove(row, server));
      if (release === undefined) throw new AppError('not_found');
      const { rollout } = await this.rollouts.begin(tx, caller, {
        server,
        release,
        order: { ...manner, release: release.id },
      });
      const decision = { state: 'rolling_out' as const, reason: APPROVED, rolloutId: rollout.id };
      const decided = await this.drift.decide(tx, tenantId, row.id, { ...decision, by: actorOf(caller) });
      const told = {
        server: server.id,
        base: row.base_release_id,
        release: release.id,
        reason: APPROVED,
        rollout: rollout.id,
      };
      await appendAudit(tx, tenantId, [
        doneBy(caller, { event: 'drift.approved', target: `server:${server.id}`, details: told }),
      ]);
      return { candidate: candidateView(decided), rollout };
    });
  }

  /** Keeps what was approved; the same change, found again, stays refused. */
  async refuse(caller: TenantCaller, where: Where, reason: string): Promise<AnswerOf<typeof refuseCandidate>> {
    const { tenantId } = caller;
    return this.database.asTenant(tenantId, async (tx) => {
      const { server, row } = await this.#lock(tx, tenantId, where);
      if (row.state !== 'pending' && row.state !== 'queued' && row.state !== 'refused')
        throw new AppError('conflict', { message: refusal(row, 'refused') });
      const decision = { state: 'refused' as const, reason, rolloutId: null };
      const decided = await this.drift.decide(tx, tenantId, row.id, { ...decision, by: actorOf(caller) });
      const release = row.release_id === null ? {} : { release: row.release_id };
      const told = { server: server.id, base: row.base_release_id, reason, ...release };
      await appendAudit(tx, tenantId, [
        doneBy(caller, { event: 'drift.refused', target: `server:${server.id}`, details: told }),
      ]);
      return { candidate: candidateView(decided) };
    });
  }

  async #lock(
    tx: Transaction,
    tenantId: string,
    where: Where,
  ): Promise<{ readonly server: LockedServer; readonly row: CandidateRow }> {
    const server = await this.servers.lock(tx, tenantId, where.server);
    const row = server && (await this.drift.find(tx, tenantId, server.id, where.candidate));
    if (server === undefined || row === undefined) throw new AppError('not_found');
    return { server, row };
  }
}

/** The release of a candidate that may still be approved. */
function releaseToApprove(row: CandidateRow, server: LockedServer): string {
  const { release_id: release, base_release_id: base, state } = row;
  const settled = state === 'superseded' || state === 'withdrawn' || state === 'unusable';
  if (release === null || settled) throw new AppError('conflict', { message: refusal(row, 'approved') });
  if (server.live_release_id === base) return release;
  throw new AppError('conflict', {
    message:
      'Another release is live by now than the one this was compared with. Check the server again, and decide about what is found.',
  });
}

function refusal({ state, rollout_id: rollout }: CandidateRow, wanted: string): string {
  switch (state) {
    case 'rolling_out':
      return `Rollout ${rollout} of it has begun. Abort that one instead.`;
    case 'superseded':
      return `It cannot be ${wanted}: the upstream lists something else by now. Decide about the newest candidate.`;
    case 'withdrawn':
      return `It cannot be ${wanted}: the upstream lists again what was approved.`;
    default:
      return `It cannot be ${wanted}: it is ${state}. Have what its problems name mended at the upstream.`;
  }
}
