import { Module } from '@nestjs/common';
import { TenantsModule } from '../tenants/tenants.module.js';
import { ServersController } from './servers.controller.js';
import { ServersRepository } from './servers.repository.js';
import { ServersService } from './servers.service.js';

/** A tenant's MCP servers. */
@Module({
  imports: [TenantsModule],
  controllers: [ServersController],
  providers: [ServersService, ServersRepository],
  exports: [ServersRepository, ServersService],
})
export class ServersModule {}
