import { Controller, Get, Inject, Put } from '@nestjs/common';
import { TenantCalling, type TenantCaller } from '../access/caller.js';
import { RequirePermission } from '../access/permissions.js';
import { Contract, Input, type AnswerOf, type InputOf } from '../contract/contract.js';
import { changeMajor, listMajors } from './server-majors.schema.js';
import { ServerMajorsService } from './server-majors.service.js';

/** The major versions of a server. */
@Controller('v1/servers/:server/majors')
export class ServerMajorsController {
  constructor(@Inject(ServerMajorsService) private readonly majors: ServerMajorsService) {}

  @Get()
  @RequirePermission('releases.read')
  @Contract(listMajors)
  list(
    @TenantCalling() caller: TenantCaller,
    @Input() input: InputOf<typeof listMajors>,
  ): Promise<AnswerOf<typeof listMajors>> {
    return this.majors.list(caller, input);
  }

  @Put(':major')
  @RequirePermission('releases.write')
  @Contract(changeMajor)
  change(
    @TenantCalling() caller: TenantCaller,
    @Input() { params, body }: InputOf<typeof changeMajor>,
  ): Promise<AnswerOf<typeof changeMajor>> {
    return this.majors.change(caller, { params, body });
  }
}
