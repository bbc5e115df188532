import { Module } from '@nestjs/common';
import { ApiKeysModule } from '../api-keys/api-keys.module.js';
import { MembersModule } from '../members/members.module.js';
import { CallerIdentityController } from './caller-identity.controller.js';
import { CallerIdentityService } from './caller-identity.service.js';

/** Whose credentials a request has. */
@Module({
  imports: [ApiKeysModule, MembersModule],
  controllers: [CallerIdentityController],
  providers: [CallerIdentityService],
})
export class CallerIdentityModule {}
