import { Module } from '@nestjs/common';
import { AccessModule } from '../access/access.module.js';
import { ServersModule } from '../servers/servers.module.js';
import { RegistryEntriesController } from './registry-entries.controller.js';
import { RegistryEntriesService } from './registry-entries.service.js';
import { RegistryController } from './registry.controller.js';
import { RegistryRepository } from './registry.repository.js';
import { RegistryService } from './registry.service.js';

/** The MCP registry API: for a tenant, and for what tenants make public. */
@Module({
  imports: [AccessModule, ServersModule],
  controllers: [RegistryController, RegistryEntriesController],
  providers: [RegistryService, RegistryEntriesService, RegistryRepository],
})
export class RegistryModule {}
