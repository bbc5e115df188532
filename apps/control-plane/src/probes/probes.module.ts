import { Module } from '@nestjs/common';
import { ReleasesModule } from '../releases/releases.module.js';
import { ServersModule } from '../servers/servers.module.js';
import { ProbesController } from './probes.controller.js';
import { ProbesRepository } from './probes.repository.js';
import { ProbesService } from './probes.service.js';

/** Tenants' synthetic calls of their own tools. */
@Module({
  imports: [ServersModule, ReleasesModule],
  controllers: [ProbesController],
  providers: [ProbesService, ProbesRepository],
})
export class ProbesModule {}
