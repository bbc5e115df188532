import { Controller, Inject, Post } from '@nestjs/common';
import { TenantCalling, type TenantCaller } from '../access/caller.js';
import { RequirePermission } from '../access/permissions.js';
import { Contract, Input, type AnswerOf, type InputOf } from '../contract/contract.js';
import { uploadArtefact } from './artefacts.schema.js';
import { ArtefactsService } from './artefacts.service.js';

/** Uploaded documents. */
@Controller('v1/artefacts')
export class ArtefactsController {
  constructor(@Inject(ArtefactsService) private readonly artefacts: ArtefactsService) {}

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
