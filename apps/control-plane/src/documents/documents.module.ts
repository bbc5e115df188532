import { Module } from '@nestjs/common';
import { ServersModule } from '../servers/servers.module.js';
import { DocumentsController } from './documents.controller.js';
import { DocumentsService } from './documents.service.js';

/** The documents that knowledge servers serve. */
@Module({ imports: [ServersModule], controllers: [DocumentsController], providers: [DocumentsService] })
export class DocumentsModule {}
