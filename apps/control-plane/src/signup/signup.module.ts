import { Module } from '@nestjs/common';
import { ApiKeysModule } from '../api-keys/api-keys.module.js';
import { AttemptLimiter } from './attempt-limiter.js';
import { PasswordHasher } from './password-hasher.js';
import { SignupController } from './signup.controller.js';
import { SignupRepository } from './signup.repository.js';
import { SignupService } from './signup.service.js';

/** Signing up. */
@Module({
  imports: [ApiKeysModule],
  controllers: [SignupController],
  providers: [SignupService, SignupRepository, PasswordHasher, AttemptLimiter],
  exports: [PasswordHasher, AttemptLimiter],
})
export class SignupModule {}
