import { Controller, Get, Inject, StreamableFile } from '@nestjs/common';
import { OperatorCalling, type OperatorCaller } from '../access/caller.js';
import { RequirePermission } from '../access/permissions.js';
import { Contract, Input, type AnswerOf, type InputOf } from '../contract/contract.js';
import { exportActions, listActions, listPlatformCheckpoints } from './actions.schema.js';
import { provePlatformConsistency, provePlatformInclusion } from '../audit-proofs/audit-proofs.schema.js';
import { ActionsService } from './actions.service.js';
import { PlatformLogService } from './platform-log.service.js';

/** What operators did. */
@Controller('admin/v1/actions')
export class ActionsController {
  constructor(
    @Inject(ActionsService) private readonly actions: ActionsService,
    @Inject(PlatformLogService) private readonly log: PlatformLogService,
  ) {}

  @Get()
  @RequirePermission('platform.actions.read')
  @Contract(listActions)
  list(
    @OperatorCalling() caller: OperatorCaller,
    @Input() { query }: InputOf<typeof listActions>,
  ): Promise<AnswerOf<typeof listActions>> {
    return this.actions.list(caller, query);
  }

  @Get('checkpoints')
  @RequirePermission('platform.actions.read')
  @Contract(listPlatformCheckpoints)
  checkpoints(
    @OperatorCalling() caller: OperatorCaller,
    @Input() { query }: InputOf<typeof listPlatformCheckpoints>,
  ): Promise<AnswerOf<typeof listPlatformCheckpoints>> {
    return this.log.listCheckpoints(caller, query);
  }

  @Get('export')
  @RequirePermission('platform.actions.read')
  @Contract(exportActions)
  async export(@OperatorCalling() caller: OperatorCaller): Promise<StreamableFile> {
    return new StreamableFile(await this.log.export(caller), { type: 'application/x-ndjson' });
  }

  @Get('consistency')
  @RequirePermission('platform.actions.read')
  @Contract(provePlatformConsistency)
  consistency(
    @OperatorCalling() caller: OperatorCaller,
    @Input() { query }: InputOf<typeof provePlatformConsistency>,
  ): Promise<AnswerOf<typeof provePlatformConsistency>> {
    return this.log.proveConsistency(caller, query);
  }

  @Get(':id/proof')
  @RequirePermission('platform.actions.read')
  @Contract(provePlatformInclusion)
  inclusion(
    @OperatorCalling() caller: OperatorCaller,
    @Input() { params, query }: InputOf<typeof provePlatformInclusion>,
  ): Promise<AnswerOf<typeof provePlatformInclusion>> {
    return this.log.proveInclusion(caller, params.id, query.size);
  }
}
