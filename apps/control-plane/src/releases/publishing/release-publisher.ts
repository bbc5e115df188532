import { Inject, Injectable } from '@nestjs/common';
import { appendAudit } from '#libs/audit';
import type { Database, Transaction } from '#libs/database';
import { AppError } from '#libs/errors';
import { enqueue, publishReleaseJob } from '#libs/jobs';
import { abortRollout, findOpenRollout, withdraw } from '#libs/rollouts';
import { actorOf, doneBy, type TenantCaller } from '../../access/caller.js';
import type { ControlPlaneConfig } from '../../config.js';
import type { AnswerOf, InputOf } from '../../contract/contract.js';
import { CONFIG, TENANT_DATABASE } from '../../platform/tokens.js';
import { serverView } from '../../servers/server-view.js';
import { ServersRepository, type LockedServer } from '../../servers/servers.repository.js';
import { requireAcknowledged, requireOpen, requireUnrejected } from './release-step.js';
import { releaseView } from '../release-view.js';
import { ReleasesRepository, type ReleaseRow } from '../releases.repository.js';
import type { publishRelease, PublishOptions, rollBack } from '../releases.schema.js';

/** A release that somebody wants live, and how; the caller holds the server's lock. */
interface PublishWish {
  readonly server: LockedServer;
  readonly release: ReleaseRow;
  readonly options: PublishOptions;
}

/** Decides which release is to be live; the job that checks and switches runs in the background service. */
@Injectable()
export class ReleasePublisher {
  constructor(
    @Inject(CONFIG) private readonly config: ControlPlaneConfig,
    @Inject(TENANT_DATABASE) private readonly database: Database,
    @Inject(ServersRepository) private readonly servers: ServersRepository,
    @Inject(ReleasesRepository) private readonly releases: ReleasesRepository,
  ) {}

  /** Asks for a release to go live; one whose checks failed is checked again. @throws AppError `not_found` */
  async publish(
    caller: TenantCaller,
    { server: slug, release: releaseId }: InputOf<typeof publishRelease>['params'],
    options: PublishOptions,
  ): Promise<AnswerOf<typeof publishRelease>> {
    const { tenantId } = caller;
    return this.database.asTenant(tenantId, async (tx) => {
      const server = await this.servers.lock(tx, tenantId, slug);
      const release = server && (await this.releases.find(tx, tenantId, server.id, releaseId));
      if (server === undefined || release === undefined) throw new AppError('not_found');
      return { release: releaseView(await this.request(tx, caller, { server, release, options })) };
    });
  }

  /** Asks for a release to be published, in the caller's transaction, which holds the server's lock. */
  async request(tx: Transaction, caller: TenantCaller, wish: PublishWish): Promise<ReleaseRow> {
    const { server, release, options } = wish;
    const { tenantId } = caller;
    if (release.state === 'publishing') return release;
    await this.#refuseDuringRollout(tx, tenantId, release.server_id);
    if (release.state === 'live') {
      // Whoever asks for the live one now wants no other that was asked for before.
      await this.releases.withdrawPublishing(tx, tenantId, release.server_id);
      return release;
    }
    requireUnrejected(release, options);
    await requireOpen(tx, tenantId, server.id, options);
    const { live_release_id: liveId } = server;
    const live = liveId === null ? undefined : await this.releases.find(tx, tenantId, server.id, liveId);
    const step = live && (await requireAcknowledged(tx, tenantId, { live, next: release, options }));
    await this.releases.moveTo(tx, tenantId, release.id, 'publishing');
    await enqueue(tx, tenantId, publishReleaseJob, {
      tenantId,
      serverId: release.server_id,
      releaseId: release.id,
      requestedBy: actorOf(caller),
      acknowledgeBreaking: options.acknowledge_breaking,
      ...(options.previous_major_until === undefined ? {} : { previousMajorUntil: options.previous_major_until }),
    });
    const details = {
      server: release.server_id,
      number: release.number,
      acknowledge_breaking: options.acknowledge_breaking,
      acknowledge_rejected: options.acknowledge_rejected,
      override_schedule: options.override_schedule,
      ...(step === undefined ? {} : { effect: step.effect }),
    };
    await appendAudit(tx, tenantId, [
      doneBy(caller, { event: 'release.publish_requested', target: `release:${release.id}`, details }),
    ]);
    return { ...release, state: 'publishing', rejection: null };
  }

  /** Exchanges the live release and the one before; while a rollout is open, ends it. @throws AppError `not_found`, or `conflict` when there is none before. */
  async rollBack(caller: TenantCaller, slug: string): Promise<AnswerOf<typeof rollBack>> {
    const { tenantId } = caller;
    return this.database.asTenant(tenantId, async (tx) => {
      const server = await this.servers.lock(tx, tenantId, slug);
      if (server === undefined) throw new AppError('not_found');
      if (await this.#endRollout(tx, caller, server.id)) return this.#serverAnswer(tx, caller, slug);
      const { id, live_release_id: live, previous_release_id: previous } = server;
      if (live === null || previous === null) {
        throw new AppError('conflict', { message: `Server ${slug} has no release before the live one to go back to.` });
      }
      await this.releases.withdrawPublishing(tx, tenantId, id);
      await this.servers.point(tx, tenantId, { id, live_release_id: previous, previous_release_id: live });
      await this.releases.moveTo(tx, tenantId, previous, 'live');
      await this.releases.moveTo(tx, tenantId, live, 'superseded');
      await withdraw(tx, tenantId, live);
      const details = { server: id, from: live };
      await appendAudit(tx, tenantId, [
        doneBy(caller, { event: 'release.rolled_back', target: `release:${previous}`, details }),
      ]);
      return this.#serverAnswer(tx, caller, slug);
    });
  }

  async #serverAnswer(tx: Transaction, caller: TenantCaller, slug: string): Promise<AnswerOf<typeof rollBack>> {
    const row = await this.servers.find(tx, caller.tenantId, slug);
    if (row === undefined) throw new AppError('not_found');
    return { server: serverView(row, caller.tenantSlug, this.config.WHARF_PUBLIC_URL) };
  }

  /** Takes the candidate of an open rollout away; false where there is none. */
  async #endRollout(tx: Transaction, caller: TenantCaller, serverId: string): Promise<boolean> {
    const rollout = await findOpenRollout(tx, caller.tenantId, serverId);
    if (rollout === undefined) return false;
    await abortRollout(tx, rollout, { actor: actorOf(caller), reason: 'Somebody rolled the server back.' });
    return true;
  }

  async #refuseDuringRollout(tx: Transaction, tenantId: string, serverId: string): Promise<void> {
    const rollout = await findOpenRollout(tx, tenantId, serverId);
    if (rollout === undefined) return;
    throw new AppError('conflict', {
      message: `Rollout ${rollout.id} is ${rollout.state}. Promote or abort it before you publish.`,
    });
  }
}
