import { Controller, Delete, Get, Inject, Patch, Post } from '@nestjs/common';
import { TenantCalling, type TenantCaller } from '../access/caller.js';
import { RequirePermission } from '../access/permissions.js';
import { Contract, Input, type AnswerOf, type InputOf } from '../contract/contract.js';
import {
  changeProbe,
  createProbe,
  deleteProbe,
  getProbe,
  listProbeResults,
  listProbes,
  runProbes,
} from './probes.schema.js';
import { ProbesService } from './probes.service.js';

/** A server's probes. */
@Controller('v1/servers/:server/probes')
export class ProbesController {
  constructor(@Inject(ProbesService) private readonly probes: ProbesService) {}

  @Post()
  @RequirePermission('releases.write')
  @Contract(createProbe)
  create(
    @TenantCalling() caller: TenantCaller,
    @Input() { params, body }: InputOf<typeof createProbe>,
  ): Promise<AnswerOf<typeof createProbe>> {
    return this.probes.create(caller, { params, body });
  }

  @Get()
  @RequirePermission('releases.read')
  @Contract(listProbes)
  list(
    @TenantCalling() caller: TenantCaller,
    @Input() input: InputOf<typeof listProbes>,
  ): Promise<AnswerOf<typeof listProbes>> {
    return this.probes.list(caller, input);
  }

  @Post('run')
  @RequirePermission('releases.write')
  @Contract(runProbes)
  run(
    @TenantCalling() caller: TenantCaller,
    @Input() { params, body }: InputOf<typeof runProbes>,
  ): Promise<AnswerOf<typeof runProbes>> {
    return this.probes.run(caller, { params, body });
  }

  @Get(':probe')
  @RequirePermission('releases.read')
  @Contract(getProbe)
  get(
    @TenantCalling() caller: TenantCaller,
    @Input() { params }: InputOf<typeof getProbe>,
  ): Promise<AnswerOf<typeof getProbe>> {
    return this.probes.get(caller, params);
  }

  @Patch(':probe')
  @RequirePermission('releases.write')
  @Contract(changeProbe)
  change(
    @TenantCalling() caller: TenantCaller,
    @Input() input: InputOf<typeof changeProbe>,
  ): Promise<AnswerOf<typeof changeProbe>> {
    return this.probes.change(caller, input);
  }

  @Delete(':probe')
  @RequirePermission('releases.write')
  @Contract(deleteProbe)
  remove(
    @TenantCalling() caller: TenantCaller,
    @Input() { params, precondition }: InputOf<typeof deleteProbe>,
  ): Promise<void> {
    return this.probes.remove(caller, params, precondition);
  }

  @Get(':probe/results')
  @RequirePermission('releases.read')
  @Contract(listProbeResults)
  results(
    @TenantCalling() caller: TenantCaller,
    @Input() { params, query }: InputOf<typeof listProbeResults>,
  ): Promise<AnswerOf<typeof listProbeResults>> {
    return this.probes.results(caller, { params, query });
  }
}
