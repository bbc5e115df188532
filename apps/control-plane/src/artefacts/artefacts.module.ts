import { Module } from '@nestjs/common';
import { ArtefactsController } from './artefacts.controller.js';
import { ArtefactsRepository } from './artefacts.repository.js';
import { ArtefactsService } from './artefacts.service.js';

/** Documents that releases are built from. */
@Module({ controllers: [ArtefactsController], providers: [ArtefactsService, ArtefactsRepository] })
export class ArtefactsModule {}
