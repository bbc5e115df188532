import { Module } from '@nestjs/common';
import { ConnectorDiscovery } from './connector-discovery.js';
import { ConnectorsController } from './connectors.controller.js';
import { ConnectorsRepository } from './connectors.repository.js';
import { ConnectorsService } from './connectors.service.js';

/** Where a tenant's people log in at upstreams. */
@Module({
  controllers: [ConnectorsController],
  providers: [ConnectorsService, ConnectorsRepository, ConnectorDiscovery],
})
export class ConnectorsModule {}
