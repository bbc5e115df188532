import { Module } from '@nestjs/common';
import { SecretsController } from './secrets.controller.js';
import { SecretsRepository } from './secrets.repository.js';
import { SecretsService } from './secrets.service.js';

/** A tenant's secrets. */
@Module({ controllers: [SecretsController], providers: [SecretsService, SecretsRepository] })
export class SecretsModule {}
