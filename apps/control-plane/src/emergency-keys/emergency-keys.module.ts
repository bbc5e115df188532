import { Module } from '@nestjs/common';
import { EmergencyKeysController } from './emergency-keys.controller.js';
import { EmergencyKeysRepository } from './emergency-keys.repository.js';
import { EmergencyKeysService } from './emergency-keys.service.js';

/** Operators' keys that the configuration names. */
@Module({
  controllers: [EmergencyKeysController],
  providers: [EmergencyKeysService, EmergencyKeysRepository],
})
export class EmergencyKeysModule {}
