import { Module } from '@nestjs/common';
import { OwnConnectionsModule } from '../own-connections/own-connections.module.js';
import { ServersModule } from '../servers/servers.module.js';
import { ReleaseBuilder } from './release-builder.js';
import { ReleasePublisher } from './publishing/release-publisher.js';
import { ReleasesController } from './releases.controller.js';
import { ReleasesRepository } from './releases.repository.js';
import { ReleasesService } from './releases.service.js';

/** Building, publishing and rolling back releases. */
@Module({
  imports: [ServersModule, OwnConnectionsModule],
  controllers: [ReleasesController],
  providers: [ReleasesService, ReleasePublisher, ReleaseBuilder, ReleasesRepository],
  exports: [ReleasesRepository, ReleasePublisher],
})
export class ReleasesModule {}
