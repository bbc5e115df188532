import { Module } from '@nestjs/common';
import { PlatformSigningKeysController } from './platform-signing-keys.controller.js';
import { PlatformSigningKeysRepository } from './platform-signing-keys.repository.js';
import { PlatformSigningKeysService } from './platform-signing-keys.service.js';

/** Operators' part in the rotation of signing keys. */
@Module({
  controllers: [PlatformSigningKeysController],
  providers: [PlatformSigningKeysService, PlatformSigningKeysRepository],
})
export class PlatformSigningKeysModule {}
