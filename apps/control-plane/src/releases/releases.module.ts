import { Module } from '@nestjs/common';
import { ServersModule } from '../servers/servers.module.js';
import { ReleaseBuilder } from './release-builder.js';
import { ReleasePublisher } from './release-publisher.js';
import { ReleasesController } from './releases.controller.js';
import { ReleasesRepository } from './releases.repository.js';
import { ReleasesService } from './releases.service.js';

/** Building, publishing and rolling back releases. */
@Module({
  imports: [ServersModule],
  controllers: [ReleasesController],
  providers: [ReleasesService, ReleasePublisher, ReleaseBuilder, ReleasesRepository],
  exports: [ReleasesRepository, ReleasePublisher],
})
export class ReleasesModule {}
