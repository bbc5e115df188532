import { Module } from '@nestjs/common';
import { ProfilesModule } from '../profiles/profiles.module.js';
import { ServersModule } from '../servers/servers.module.js';
import { ConnectAttemptsController } from './connect-attempts.controller.js';
import { ConnectAttemptsService } from './connect-attempts.service.js';
import { ProfileAttemptsController } from './profile-attempts.controller.js';

/** How agents fared that tried to connect to a server or a profile. */
@Module({
  imports: [ServersModule, ProfilesModule],
  controllers: [ConnectAttemptsController, ProfileAttemptsController],
  providers: [ConnectAttemptsService],
})
export class ConnectAttemptsModule {}
