import { Controller, Delete, Get, Inject, Patch, Post } from '@nestjs/common';
import { TenantCalling, type TenantCaller } from '../access/caller.js';
import { RequirePermission } from '../access/permissions.js';
import { Contract, Input, type AnswerOf, type InputOf } from '../contract/contract.js';
import {
  changeOneDocument,
  createDocument,
  deleteOneDocument,
  importMany,
  listDocumentEntries,
  showDocument,
} from './documents.schema.js';
import { DocumentsService } from './documents.service.js';

/** A server's documents. */
@Controller('v1/servers/:server/documents')
export class DocumentsController {
  constructor(@Inject(DocumentsService) private readonly documents: DocumentsService) {}

  @Post()
  @RequirePermission('documents.write')
  @Contract(createDocument)
  create(
    @TenantCalling() caller: TenantCaller,
    @Input() { params, body }: InputOf<typeof createDocument>,
  ): Promise<AnswerOf<typeof createDocument>> {
    return this.documents.create(caller, { params, body });
  }

  @Get()
  @RequirePermission('documents.read')
  @Contract(listDocumentEntries)
  list(
    @TenantCalling() caller: TenantCaller,
    @Input() { params, query }: InputOf<typeof listDocumentEntries>,
  ): Promise<AnswerOf<typeof listDocumentEntries>> {
    return this.documents.list(caller, { params, query });
  }

  @Post('import')
  @RequirePermission('documents.write')
  @Contract(importMany)
  import(
    @TenantCalling() caller: TenantCaller,
    @Input() { params, body }: InputOf<typeof importMany>,
  ): Promise<AnswerOf<typeof importMany>> {
    return this.documents.import(caller, { params, body });
  }

  @Get(':document')
  @RequirePermission('documents.read')
  @Contract(showDocument)
  get(
    @TenantCalling() caller: TenantCaller,
    @Input() { params }: InputOf<typeof showDocument>,
  ): Promise<AnswerOf<typeof showDocument>> {
    return this.documents.get(caller, params);
  }

  @Patch(':document')
  @RequirePermission('documents.write')
  @Contract(changeOneDocument)
  change(
    @TenantCalling() caller: TenantCaller,
    @Input() input: InputOf<typeof changeOneDocument>,
  ): Promise<AnswerOf<typeof changeOneDocument>> {
    return this.documents.change(caller, input);
  }

  @Delete(':document')
  @RequirePermission('documents.write')
  @Contract(deleteOneDocument)
  remove(
    @TenantCalling() caller: TenantCaller,
    @Input() { params, precondition }: InputOf<typeof deleteOneDocument>,
  ): Promise<void> {
    return this.documents.remove(caller, params, precondition);
  }
}
