import { Module } from '@nestjs/common';
import { ReleasesModule } from '../releases/releases.module.js';
import { ServersModule } from '../servers/servers.module.js';
import { ReleaseDiffsController } from './release-diffs.controller.js';
import { ReleaseDiffsService } from './release-diffs.service.js';

/** Comparing releases. */
@Module({
  imports: [ServersModule, ReleasesModule],
  controllers: [ReleaseDiffsController],
  providers: [ReleaseDiffsService],
  exports: [ReleaseDiffsService],
})
export class ReleaseDiffsModule {}
