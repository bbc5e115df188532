import { Controller, Get, Inject, Post } from '@nestjs/common';
import { OperatorCalling, type OperatorCaller } from '../access/caller.js';
import { RequirePermission } from '../access/permissions.js';
import { Contract, Input, type AnswerOf, type InputOf } from '../contract/contract.js';
import {
  drainRuntime,
  killRuntime,
  listRuntimes,
  listWorkers,
  resumeRuntime,
  stopTenantWorkers,
} from './platform-runtimes.schema.js';
import { PlatformRuntimesService } from './platform-runtimes.service.js';

/** Operators' work on worker-runtimes. */
@Controller('admin/v1')
export class PlatformRuntimesController {
  constructor(@Inject(PlatformRuntimesService) private readonly runtimes: PlatformRuntimesService) {}

  @Get('runtimes')
  @RequirePermission('platform.runtimes.read')
  @Contract(listRuntimes)
  list(
    @OperatorCalling() caller: OperatorCaller,
    @Input() { query }: InputOf<typeof listRuntimes>,
  ): Promise<AnswerOf<typeof listRuntimes>> {
    return this.runtimes.list(caller, query);
  }

  @Get('runtimes/:runtime/workers')
  @RequirePermission('platform.runtimes.read')
  @Contract(listWorkers)
  workers(
    @OperatorCalling() caller: OperatorCaller,
    @Input() input: InputOf<typeof listWorkers>,
  ): Promise<AnswerOf<typeof listWorkers>> {
    return this.runtimes.workers(caller, input);
  }

  @Post('runtimes/:runtime/drain')
  @RequirePermission('platform.runtimes.write')
  @Contract(drainRuntime)
  drain(
    @OperatorCalling() caller: OperatorCaller,
    @Input() { params, body }: InputOf<typeof drainRuntime>,
  ): Promise<AnswerOf<typeof drainRuntime>> {
    return this.runtimes.drain(caller, params.runtime, body);
  }

  @Post('runtimes/:runtime/kill')
  @RequirePermission('platform.runtimes.write')
  @Contract(killRuntime)
  kill(
    @OperatorCalling() caller: OperatorCaller,
    @Input() { params, body }: InputOf<typeof killRuntime>,
  ): Promise<AnswerOf<typeof killRuntime>> {
    return this.runtimes.kill(caller, params.runtime, body);
  }

  @Post('runtimes/:runtime/resume')
  @RequirePermission('platform.runtimes.write')
  @Contract(resumeRuntime)
  resume(
    @OperatorCalling() caller: OperatorCaller,
    @Input() { params, body }: InputOf<typeof resumeRuntime>,
  ): Promise<AnswerOf<typeof resumeRuntime>> {
    return this.runtimes.resume(caller, params.runtime, body.reason);
  }

  @Post('tenants/:tenant/workers/stop')
  @RequirePermission('platform.runtimes.write')
  @Contract(stopTenantWorkers)
  stopTenantWorkers(
    @OperatorCalling() caller: OperatorCaller,
    @Input() { params, body }: InputOf<typeof stopTenantWorkers>,
  ): Promise<void> {
    return this.runtimes.stopWorkers(caller, params.tenant, body);
  }
}
