import { Module } from '@nestjs/common';
import { SecretVersionsService } from './secret-versions.service.js';
import { SecretsController } from './secrets.controller.js';
import { SecretsRepository } from './secrets.repository.js';
import { SecretsService } from './secrets.service.js';

/** A tenant's secrets. */
@Module({ controllers: [SecretsController], providers: [SecretsService, SecretVersionsService, SecretsRepository] })
export class SecretsModule {}
