import { Inject, Injectable } from '@nestjs/common';
import { newId, type Transaction } from '#libs/database';
import { AppError } from '#libs/errors';
import { actorOf, type TenantCaller } from '../access/caller.js';
import { requireUnrejected } from '../releases/publishing/release-step.js';
import { ReleasesRepository, type ReleaseRow } from '../releases/releases.repository.js';
import type { PublishOptions } from '../releases/releases.schema.js';
import type { Promotion } from './promotion-sources.js';
import { PromotionsRepository } from './promotions.repository.js';

/** Releases as the servers have them that they were promoted to. */
@Injectable()
export class PromotedReleases {
  constructor(
    @Inject(ReleasesRepository) private readonly releases: ReleasesRepository,
    @Inject(PromotionsRepository) private readonly promotions: PromotionsRepository,
  ) {}

  /**
   * The release as one of the server's own: the same one that is there already, or a new one.
   * @throws AppError `conflict` where it is live already, a rollout took it back, or its version is another release's
   */
  async take(
    tx: Transaction,
    caller: TenantCaller,
    { slug, server, from }: Promotion,
    options: Pick<PublishOptions, 'acknowledge_rejected'>,
  ): Promise<ReleaseRow> {
    const { tenantId } = caller;
    const known = await this.promotions.findSame(tx, tenantId, { serverId: server.id, from });
    const before = known === undefined ? undefined : await this.releases.find(tx, tenantId, server.id, known);
    if (before?.state === 'live')
      throw new AppError('conflict', {
        message: `Release ${before.number} of ${slug} is this one, and is live already.`,
      });
    if (before !== undefined) requireUnrejected(before, options);
    if (before?.state === 'rejected') {
      await this.releases.moveTo(tx, tenantId, before.id, 'ready');
      return { ...before, state: 'ready', rejection: null };
    }
    if (before !== undefined) return before;
    if (from.version !== null && (await this.releases.hasVersion(tx, tenantId, server.id, from.version)))
      throw new AppError('conflict', {
        message: `A release of ${slug} is ${from.version} already. Build and promote one with the next version.`,
      });
    const { artefact, tools, toolDigests, toolTokens, toolHints, source } = await this.promotions.partsOf(
      tx,
      tenantId,
      from,
    );
    return this.releases.insert(tx, tenantId, {
      id: newId(),
      serverId: server.id,
      version: from.version ?? undefined,
      kind: from.kind,
      digest: from.digest,
      artefact: artefact ?? undefined,
      state: 'ready',
      report: from.report,
      tools,
      toolDigests,
      toolTokens,
      toolHints,
      createdBy: actorOf(caller),
      source: source ?? undefined,
      promotedFrom: from.id,
    });
  }
}
