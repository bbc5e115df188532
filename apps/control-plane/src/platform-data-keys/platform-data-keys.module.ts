import { Module } from '@nestjs/common';
import { PlatformTenantsModule } from '../platform-tenants/platform-tenants.module.js';
import { PlatformDataKeysController } from './platform-data-keys.controller.js';
import { PlatformDataKeysRepository } from './platform-data-keys.repository.js';
import { PlatformDataKeysService } from './platform-data-keys.service.js';

/** Operators' part in the replacement of a tenant's data key. */
@Module({
  imports: [PlatformTenantsModule],
  controllers: [PlatformDataKeysController],
  providers: [PlatformDataKeysService, PlatformDataKeysRepository],
})
export class PlatformDataKeysModule {}
