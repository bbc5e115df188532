import { Module } from '@nestjs/common';
import { ServersModule } from '../servers/servers.module.js';
import { UpstreamsController } from './upstreams.controller.js';
import { UpstreamsService } from './upstreams.service.js';

/** How the upstreams of a server are doing. */
@Module({ imports: [ServersModule], controllers: [UpstreamsController], providers: [UpstreamsService] })
export class UpstreamsModule {}
