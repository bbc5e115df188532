import { Module } from '@nestjs/common';
import { DeliveriesRepository } from './deliveries.repository.js';
import { DeliveriesService } from './deliveries.service.js';
import { WebhooksController } from './webhooks.controller.js';
import { WebhooksRepository } from './webhooks.repository.js';
import { WebhooksService } from './webhooks.service.js';

/** Where a tenant is told of its events. */
@Module({
  controllers: [WebhooksController],
  providers: [WebhooksService, DeliveriesService, WebhooksRepository, DeliveriesRepository],
})
export class WebhooksModule {}
