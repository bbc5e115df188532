import { Module } from '@nestjs/common';
import { ReleaseDiffsModule } from '../release-diffs/release-diffs.module.js';
import { ReleasesModule } from '../releases/releases.module.js';
import { RolloutsModule } from '../rollouts/rollouts.module.js';
import { ServersModule } from '../servers/servers.module.js';
import { DriftController } from './drift.controller.js';
import { DriftRepository } from './drift.repository.js';
import { DriftService } from './drift.service.js';
import { DriftDecisions } from './drift-decisions.js';

/** What upstream servers list that was not approved, and deciding about it. */
@Module({
  imports: [ServersModule, ReleasesModule, ReleaseDiffsModule, RolloutsModule],
  controllers: [DriftController],
  providers: [DriftService, DriftDecisions, DriftRepository],
})
export class DriftModule {}
