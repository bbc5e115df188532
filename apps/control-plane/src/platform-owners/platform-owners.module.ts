import { Module } from '@nestjs/common';
import { InvitationsModule } from '../invitations/invitations.module.js';
import { MembersModule } from '../members/members.module.js';
import { OperatorOrdersModule } from '../operator-orders/operator-orders.module.js';
import { PlatformTenantsModule } from '../platform-tenants/platform-tenants.module.js';
import { PlatformOwnersController } from './platform-owners.controller.js';
import { PlatformOwnersService } from './platform-owners.service.js';

/** Tenants whose owners nobody can reach. */
@Module({
  imports: [PlatformTenantsModule, OperatorOrdersModule, MembersModule, InvitationsModule],
  controllers: [PlatformOwnersController],
  providers: [PlatformOwnersService],
})
export class PlatformOwnersModule {}
