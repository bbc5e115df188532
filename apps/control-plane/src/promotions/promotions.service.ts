import { Inject, Injectable } from '@nestjs/common';
import { appendAudit } from '#libs/audit';
import type { Database } from '#libs/database';
import { doneBy, type TenantCaller } from '../access/caller.js';
import type { AnswerOf, InputOf } from '../contract/contract.js';
import { TENANT_DATABASE } from '../platform/tokens.js';
import { ReleasePublisher } from '../releases/publishing/release-publisher.js';
import { releaseView } from '../releases/release-view.js';
import { RolloutsService } from '../rollouts/rollouts.service.js';
import { PromotedReleases } from './promoted-releases.js';
import { PromotionSources } from './promotion-sources.js';
import type { promote } from './promotions.schema.js';

type Order = InputOf<typeof promote>['body'];

/** Takes the release that serves one environment of a server over to another. */
@Injectable()
export class PromotionsService {
  constructor(
    @Inject(TENANT_DATABASE) private readonly database: Database,
    @Inject(PromotionSources) private readonly sources: PromotionSources,
    @Inject(PromotedReleases) private readonly promoted: PromotedReleases,
    @Inject(ReleasePublisher) private readonly publisher: ReleasePublisher,
    @Inject(RolloutsService) private readonly rollouts: RolloutsService,
  ) {}

  /** @throws AppError `not_found`; `conflict` where it cannot be taken or brought; `unprocessable` where secrets are missing */
  async promote(caller: TenantCaller, slug: string, order: Order): Promise<AnswerOf<typeof promote>> {
    const { tenantId } = caller;
    return this.database.asTenant(tenantId, async (tx) => {
      const { server, from } = await this.sources.get(tx, tenantId, { slug, order });
      await this.sources.requireSecrets(tx, tenantId, { slug, release: from });
      const release = await this.promoted.take(tx, caller, { slug, server, from }, order);
      const details = { server: server.id, digest: from.digest, from: order.from, promoted_release: from.id };
      await appendAudit(tx, tenantId, [
        doneBy(caller, { event: 'release.promoted', target: `release:${release.id}`, details }),
      ]);
      if (server.live_release_id === null) {
        const published = await this.publisher.request(tx, caller, { server, release, options: order });
        return { release: releaseView(published), rollout: null };
      }
      const begun = { server, release, order: { ...order, release: release.id } };
      const { rollout } = await this.rollouts.begin(tx, caller, begun);
      return { release: releaseView(release), rollout };
    });
  }
}
