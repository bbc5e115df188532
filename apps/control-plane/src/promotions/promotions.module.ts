import { Module } from '@nestjs/common';
import { EnvironmentsModule } from '../environments/environments.module.js';
import { ReleasesModule } from '../releases/releases.module.js';
import { RolloutsModule } from '../rollouts/rollouts.module.js';
import { ServersModule } from '../servers/servers.module.js';
import { PromotedReleases } from './promoted-releases.js';
import { PromotionSources } from './promotion-sources.js';
import { PromotionsController } from './promotions.controller.js';
import { PromotionsRepository } from './promotions.repository.js';
import { PromotionsService } from './promotions.service.js';

/** Taking releases from one environment of a server to another. */
@Module({
  imports: [ServersModule, ReleasesModule, RolloutsModule, EnvironmentsModule],
  controllers: [PromotionsController],
  providers: [PromotionsService, PromotionSources, PromotedReleases, PromotionsRepository],
})
export class PromotionsModule {}
