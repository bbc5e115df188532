import { Controller, Get, Inject, Post } from '@nestjs/common';
import { TenantCalling, type TenantCaller } from '../access/caller.js';
import { RequirePermission } from '../access/permissions.js';
import { Contract, Input, type AnswerOf, type InputOf } from '../contract/contract.js';
import { ReleasePublisher } from './publishing/release-publisher.js';
import { createRelease, getRelease, listReleases, publishRelease, rollBack } from './releases.schema.js';
import { ReleasesService } from './releases.service.js';

/** A server's releases, and which of them is live. */
@Controller('v1/servers/:server')
export class ReleasesController {
  constructor(
    @Inject(ReleasesService) private readonly releases: ReleasesService,
    @Inject(ReleasePublisher) private readonly publisher: ReleasePublisher,
  ) {}

  @Post('releases')
  @RequirePermission('releases.write')
  @Contract(createRelease)
  create(
    @TenantCalling() caller: TenantCaller,
    @Input() { params, body }: InputOf<typeof createRelease>,
  ): Promise<AnswerOf<typeof createRelease>> {
    return this.releases.create(caller, params.server, body);
  }

  @Get('releases')
  @RequirePermission('releases.read')
  @Contract(listReleases)
  list(
    @TenantCalling() caller: TenantCaller,
    @Input() input: InputOf<typeof listReleases>,
  ): Promise<AnswerOf<typeof listReleases>> {
    return this.releases.list(caller, input);
  }

  @Get('releases/:release')
  @RequirePermission('releases.read')
  @Contract(getRelease)
  get(
    @TenantCalling() caller: TenantCaller,
    @Input() { params }: InputOf<typeof getRelease>,
  ): Promise<AnswerOf<typeof getRelease>> {
    return this.releases.get(caller, params.server, params.release);
  }

  @Post('releases/:release/publish')
  @RequirePermission('releases.write')
  @Contract(publishRelease)
  publish(
    @TenantCalling() caller: TenantCaller,
    @Input() { params, body }: InputOf<typeof publishRelease>,
  ): Promise<AnswerOf<typeof publishRelease>> {
    return this.publisher.publish(caller, params, body);
  }

  @Post('rollback')
  @RequirePermission('releases.write')
  @Contract(rollBack)
  rollBack(
    @TenantCalling() caller: TenantCaller,
    @Input() { params }: InputOf<typeof rollBack>,
  ): Promise<AnswerOf<typeof rollBack>> {
    return this.publisher.rollBack(caller, params.server);
  }
}
