import { Module } from '@nestjs/common';
import { OpenApiDocumentController } from './openapi-document.controller.js';

/** The API's description of itself. */
@Module({ controllers: [OpenApiDocumentController] })
export class OpenApiDocumentModule {}
