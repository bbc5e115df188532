import { Module } from '@nestjs/common';
import { ServersModule } from '../servers/servers.module.js';
import { ConnectAttemptsController } from './connect-attempts.controller.js';
import { ConnectAttemptsService } from './connect-attempts.service.js';

/** How agents fared that tried to connect to a server. */
@Module({ imports: [ServersModule], controllers: [ConnectAttemptsController], providers: [ConnectAttemptsService] })
export class ConnectAttemptsModule {}
