import { Module } from '@nestjs/common';
import { PlatformMasterKeysController } from './platform-master-keys.controller.js';
import { PlatformMasterKeysRepository } from './platform-master-keys.repository.js';
import { PlatformMasterKeysService } from './platform-master-keys.service.js';

/** Operators' part in the replacement of the master key. */
@Module({
  controllers: [PlatformMasterKeysController],
  providers: [PlatformMasterKeysService, PlatformMasterKeysRepository],
})
export class PlatformMasterKeysModule {}
