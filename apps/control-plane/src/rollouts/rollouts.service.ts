import { Inject, Injectable } from '@nestjs/common';
import { appendAudit, type DetailsOf } from '#libs/audit';
import { newId, type Database, type Transaction } from '#libs/database';
import { AppError } from '#libs/errors';
import { enqueue, startRolloutJob } from '#libs/jobs';
import { findOpenRollout, findRollout, isPublishing, listRollouts, storeRollout } from '#libs/rollouts';
import { actorOf, doneBy, type TenantCaller } from '../access/caller.js';
import type { AnswerOf, InputOf } from '../contract/contract.js';
import { pageOf } from '../paging/cursor.js';
import { TENANT_DATABASE } from '../platform/tokens.js';
import { requireAcknowledged, requireOpen } from '../releases/publishing/release-step.js';
import { ReleasesRepository, type ReleaseRow } from '../releases/releases.repository.js';
import { ServersRepository, type LockedServer } from '../servers/servers.repository.js';
import { rolloutView } from './rollout-view.js';
import type { createRollout, getRollout, listRollouts as listing, RolloutOrder } from './rollouts.schema.js';
import { readRolledTools } from './tool-names.js';

/** Begins rollouts and shows them; the background service carries them out. */
@Injectable()
export class RolloutsService {
  constructor(
    @Inject(TENANT_DATABASE) private readonly database: Database,
    @Inject(ServersRepository) private readonly servers: ServersRepository,
    @Inject(ReleasesRepository) private readonly releases: ReleasesRepository,
  ) {}

  /** @throws AppError `not_found`, or `conflict` where the server or the release cannot begin one */
  async create(caller: TenantCaller, slug: string, order: RolloutOrder): Promise<AnswerOf<typeof createRollout>> {
    const { tenantId } = caller;
    return this.database.asTenant(tenantId, async (tx) => {
      const server = await this.servers.lock(tx, tenantId, slug);
      const release = server && (await this.releases.find(tx, tenantId, server.id, order.release));
      if (server === undefined || release === undefined) throw new AppError('not_found');
      return this.begin(tx, caller, { server, release, order });
    });
  }

  /** Begins one in the caller's transaction, which holds the server's lock. @throws AppError `conflict` where it cannot begin */
  async begin(
    tx: Transaction,
    caller: TenantCaller,
    { server, release, order }: { server: LockedServer; release: ReleaseRow; order: RolloutOrder },
  ): Promise<AnswerOf<typeof createRollout>> {
    const { tenantId } = caller;
    await this.#refuseWhereBusy(tx, tenantId, server.id);
    refuseUnfit(release, order);
    await requireOpen(tx, tenantId, server.id, order);
    const stable = await this.#stable(tx, tenantId, server);
    const { effect } = await requireAcknowledged(tx, tenantId, { live: stable, next: release, options: order });
    const tools = await readRolledTools(tx, tenantId, { stable: stable.digest, candidate: release.digest });
    const id = newId();
    await storeRollout(tx, tenantId, {
      id,
      serverId: server.id,
      stableReleaseId: stable.id,
      candidateReleaseId: release.id,
      strategy: order.strategy,
      steps: order.steps,
      drainSeconds: order.drain_seconds,
      previousMajorUntil: order.previous_major_until,
      overrideSchedule: order.override_schedule,
      thresholds: order.thresholds,
      tools: tools.all,
      readOnlyTools: tools.readOnly,
      shadowsSessions: tools.remembersNothing,
      createdBy: actorOf(caller),
    });
    await enqueue(tx, tenantId, startRolloutJob, { tenantId, rolloutId: id });
    await appendAudit(tx, tenantId, [
      doneBy(caller, {
        event: 'rollout.created',
        target: `rollout:${id}`,
        details: createdDetails(server.id, order, effect),
      }),
    ]);
    return this.#shown(tx, tenantId, server.id, id);
  }

  async list(
    { tenantId }: TenantCaller,
    { params, query }: InputOf<typeof listing>,
  ): Promise<AnswerOf<typeof listing>> {
    return this.database.asTenant(tenantId, async (tx) => {
      const server = await this.servers.find(tx, tenantId, params.server);
      if (server === undefined) throw new AppError('not_found');
      const { limit, cursor } = query;
      const rows = await listRollouts(tx, tenantId, { serverId: server.id, limit: limit + 1, cursor });
      const page = pageOf(rows, limit);
      return { rollouts: page.rows.map(rolloutView), next_cursor: page.next };
    });
  }

  async get(
    { tenantId }: TenantCaller,
    params: InputOf<typeof getRollout>['params'],
  ): Promise<AnswerOf<typeof getRollout>> {
    return this.database.asTenant(tenantId, async (tx) => {
      const server = await this.servers.find(tx, tenantId, params.server);
      if (server === undefined) throw new AppError('not_found');
      return this.#shown(tx, tenantId, server.id, params.rollout);
    });
  }

  async #shown(tx: Transaction, tenantId: string, serverId: string, id: string): Promise<AnswerOf<typeof getRollout>> {
    const rollout = await findRollout(tx, tenantId, id);
    if (rollout === undefined || rollout.serverId !== serverId) throw new AppError('not_found');
    return { rollout: rolloutView(rollout) };
  }

  async #refuseWhereBusy(tx: Transaction, tenantId: string, serverId: string): Promise<void> {
    const open = await findOpenRollout(tx, tenantId, serverId);
    if (open !== undefined)
      throw new AppError('conflict', {
        message: `Rollout ${open.id} is ${open.state}. Promote or abort it before you begin another one.`,
      });
    if (await isPublishing(tx, tenantId, serverId))
      throw new AppError('conflict', { message: 'A release is being published. Wait until it is live, or roll back.' });
  }

  async #stable(
    tx: Transaction,
    tenantId: string,
    server: { readonly id: string; readonly live_release_id: string | null },
  ): Promise<ReleaseRow> {
    const { id, live_release_id: live } = server;
    const stable = live === null ? undefined : await this.releases.find(tx, tenantId, id, live);
    if (stable !== undefined) return stable;
    throw new AppError('conflict', { message: 'Nothing is live at this server. Publish its first release instead.' });
  }
}

function createdDetails(server: string, order: RolloutOrder, effect: string): DetailsOf<'rollout.created'> {
  const { release, strategy, steps, acknowledge_breaking, acknowledge_rejected, override_schedule } = order;
  return { server, release, strategy, steps, acknowledge_breaking, acknowledge_rejected, override_schedule, effect };
}

function refuseUnfit({ state, number }: ReleaseRow, { acknowledge_rejected: acknowledged }: RolloutOrder): void {
  if (state === 'ready' || state === 'superseded' || (state === 'rejected' && acknowledged)) return;
  const message =
    state === 'rejected'
      ? `Release ${number} was rejected. Build another one, or say "acknowledge_rejected": true if it is meant to go out again.`
      : `Release ${number} is ${state} already.`;
  throw new AppError('conflict', { message });
}
