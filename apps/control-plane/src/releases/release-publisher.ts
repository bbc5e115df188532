import { Inject, Injectable } from '@nestjs/common';
import { appendAudit } from '#libs/audit';
import { findBlob } from '#libs/blobs';
import type { Database, Transaction } from '#libs/database';
import { AppError } from '#libs/errors';
import { enqueue, publishReleaseJob } from '#libs/jobs';
import { judgeStep, type ReleaseStep, type VersionedRelease } from '#libs/release-diff';
import { actorOf, doneBy, type TenantCaller } from '../access/caller.js';
import type { ControlPlaneConfig } from '../config.js';
import type { AnswerOf, InputOf } from '../contract/contract.js';
import { CONFIG, TENANT_DATABASE } from '../platform/tokens.js';
import { serverView } from '../servers/server-view.js';
import { ServersRepository, type LockedServer } from '../servers/servers.repository.js';
import { releaseView, toolsOf } from './release-view.js';
import { ReleasesRepository, type ReleaseRow } from './releases.repository.js';
import type { publishRelease, PublishOptions, rollBack } from './releases.schema.js';

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
    if (release.state === 'live') {
      // Whoever asks for the live one now wants no other that was asked for before.
      await this.releases.withdrawPublishing(tx, tenantId, release.server_id);
      return release;
    }
    const step = await this.#judge(tx, tenantId, server, release);
    if (step?.refusal !== undefined && !options.acknowledge_breaking) {
      throw new AppError('conflict', { message: step.refusal });
    }
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
      ...(step === undefined ? {} : { effect: step.effect }),
    };
    await appendAudit(tx, tenantId, [
      doneBy(caller, { event: 'release.publish_requested', target: `release:${release.id}`, details }),
    ]);
    return { ...release, state: 'publishing', rejection: null };
  }

  /** What going from the live release to this one means; undefined where none is live. */
  async #judge(
    tx: Transaction,
    tenantId: string,
    server: LockedServer,
    release: ReleaseRow,
  ): Promise<ReleaseStep | undefined> {
    if (server.live_release_id === null) return undefined;
    const live = await this.releases.find(tx, tenantId, server.id, server.live_release_id);
    const versioned = async ({ version, digest }: ReleaseRow): Promise<VersionedRelease> => {
      const manifest = await findBlob(tx, tenantId, digest);
      return { version, tools: manifest === undefined ? [] : toolsOf(manifest) };
    };
    return live === undefined ? undefined : judgeStep(await versioned(live), await versioned(release));
  }

  /** Exchanges the live release and the one before. @throws AppError `not_found`, or `conflict` when there is none before. */
  async rollBack(caller: TenantCaller, slug: string): Promise<AnswerOf<typeof rollBack>> {
    const { tenantId } = caller;
    return this.database.asTenant(tenantId, async (tx) => {
      const server = await this.servers.lock(tx, tenantId, slug);
      if (server === undefined) throw new AppError('not_found');
      const { id, live_release_id: live, previous_release_id: previous } = server;
      if (live === null || previous === null) {
        throw new AppError('conflict', { message: `Server ${slug} has no release before the live one to go back to.` });
      }
      await this.releases.withdrawPublishing(tx, tenantId, id);
      await this.servers.point(tx, tenantId, { id, live_release_id: previous, previous_release_id: live });
      await this.releases.moveTo(tx, tenantId, previous, 'live');
      await this.releases.moveTo(tx, tenantId, live, 'superseded');
      const details = { server: id, from: live };
      await appendAudit(tx, tenantId, [
        doneBy(caller, { event: 'release.rolled_back', target: `release:${previous}`, details }),
      ]);
      const row = await this.servers.find(tx, tenantId, slug);
      if (row === undefined) throw new AppError('not_found');
      return { server: serverView(row, caller.tenantSlug, this.config.WHARF_PUBLIC_URL) };
    });
  }
}
