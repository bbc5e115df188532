import { Controller, Delete, Get, Inject, Post } from '@nestjs/common';
import { TenantCalling, type TenantCaller } from '../access/caller.js';
import { RequirePermission } from '../access/permissions.js';
import { Contract, Input, type AnswerOf, type InputOf } from '../contract/contract.js';
import { deleteArtefact, listArtefacts, uploadArtefact } from './artefacts.schema.js';
import { ArtefactsService } from './artefacts.service.js';

/** Uploaded documents. */
@Controller('v1/artefacts')
export class ArtefactsController {
  constructor(@Inject(ArtefactsService) private readonly artefacts: ArtefactsService) {}

  @Get()
  @RequirePermission('artefacts.read')
  @Contract(listArtefacts)
  list(
    @TenantCalling() caller: TenantCaller,
    @Input() { query }: InputOf<typeof listArtefacts>,
  ): Promise<AnswerOf<typeof listArtefacts>> {
    return this.artefacts.list(caller, query);
  }

  @Delete(':digest')
  @RequirePermission('artefacts.write')
  @Contract(deleteArtefact)
  remove(@TenantCalling() caller: TenantCaller, @Input() { params }: InputOf<typeof deleteArtefact>): Promise<void> {
    return this.artefacts.remove(caller, params.digest);
  }

  @Post()
  @RequirePermission('artefacts.write')
  @Contract(uploadArtefact)
  upload(
    @TenantCalling() caller: TenantCaller,
    @Input() { body }: InputOf<typeof uploadArtefact>,
  ): Promise<AnswerOf<typeof uploadArtefact>> {
    return this.artefacts.upload(caller, body);
  }
}
