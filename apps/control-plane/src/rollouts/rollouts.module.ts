import { Module } from '@nestjs/common';
import { ReleasesModule } from '../releases/releases.module.js';
import { ServersModule } from '../servers/servers.module.js';
import { RolloutMoves } from './rollout-moves.js';
import { RolloutsController } from './rollouts.controller.js';
import { RolloutsService } from './rollouts.service.js';

/** Bringing releases to callers step by step. */
@Module({
  imports: [ServersModule, ReleasesModule],
  controllers: [RolloutsController],
  providers: [RolloutsService, RolloutMoves],
  exports: [RolloutsService],
})
export class RolloutsModule {}
