import { Controller, Delete, Get, Inject, Patch, Post } from '@nestjs/common';
import { TenantCalling, type TenantCaller } from '../access/caller.js';
import { RequirePermission } from '../access/permissions.js';
import { Contract, Input, type AnswerOf, type InputOf } from '../contract/contract.js';
import { DeliveriesService } from './deliveries.service.js';
import {
  changeWebhook,
  createWebhook,
  deleteWebhook,
  getWebhook,
  listDeliveries,
  listWebhooks,
  replayDelivery,
  rotateWebhookSecret,
  testWebhook,
} from './webhooks.schema.js';
import { WebhooksService } from './webhooks.service.js';

/** The tenant's webhooks and what they were sent. */
@Controller('v1/webhooks')
export class WebhooksController {
  constructor(
    @Inject(WebhooksService) private readonly webhooks: WebhooksService,
    @Inject(DeliveriesService) private readonly deliveries: DeliveriesService,
  ) {}

  @Get()
  @RequirePermission('webhooks.read')
  @Contract(listWebhooks)
  list(
    @TenantCalling() caller: TenantCaller,
    @Input() { query }: InputOf<typeof listWebhooks>,
  ): Promise<AnswerOf<typeof listWebhooks>> {
    return this.webhooks.list(caller, query);
  }

  @Post()
  @RequirePermission('webhooks.write')
  @Contract(createWebhook)
  create(
    @TenantCalling() caller: TenantCaller,
    @Input() { body }: InputOf<typeof createWebhook>,
  ): Promise<AnswerOf<typeof createWebhook>> {
    return this.webhooks.create(caller, body);
  }

  @Get(':webhook')
  @RequirePermission('webhooks.read')
  @Contract(getWebhook)
  get(
    @TenantCalling() caller: TenantCaller,
    @Input() { params }: InputOf<typeof getWebhook>,
  ): Promise<AnswerOf<typeof getWebhook>> {
    return this.webhooks.get(caller, params.webhook);
  }

  @Patch(':webhook')
  @RequirePermission('webhooks.write')
  @Contract(changeWebhook)
  change(
    @TenantCalling() caller: TenantCaller,
    @Input() input: InputOf<typeof changeWebhook>,
  ): Promise<AnswerOf<typeof changeWebhook>> {
    return this.webhooks.change(caller, input.params.webhook, input);
  }

  @Delete(':webhook')
  @RequirePermission('webhooks.write')
  @Contract(deleteWebhook)
  remove(
    @TenantCalling() caller: TenantCaller,
    @Input() { params, precondition }: InputOf<typeof deleteWebhook>,
  ): Promise<void> {
    return this.webhooks.remove(caller, params.webhook, precondition);
  }

  @Post(':webhook/secret')
  @RequirePermission('webhooks.write')
  @Contract(rotateWebhookSecret)
  rotateSecret(
    @TenantCalling() caller: TenantCaller,
    @Input() { params, body }: InputOf<typeof rotateWebhookSecret>,
  ): Promise<AnswerOf<typeof rotateWebhookSecret>> {
    return this.webhooks.rotateSecret(caller, params.webhook, body);
  }

  @Post(':webhook/test')
  @RequirePermission('webhooks.write')
  @Contract(testWebhook)
  test(
    @TenantCalling() caller: TenantCaller,
    @Input() { params }: InputOf<typeof testWebhook>,
  ): Promise<AnswerOf<typeof testWebhook>> {
    return this.deliveries.test(caller, params.webhook);
  }

  @Get(':webhook/deliveries')
  @RequirePermission('webhooks.read')
  @Contract(listDeliveries)
  listDeliveries(
    @TenantCalling() caller: TenantCaller,
    @Input() { params, query }: InputOf<typeof listDeliveries>,
  ): Promise<AnswerOf<typeof listDeliveries>> {
    return this.deliveries.list(caller, params.webhook, query);
  }

  @Post(':webhook/deliveries/:delivery/replay')
  @RequirePermission('webhooks.write')
  @Contract(replayDelivery)
  replay(
    @TenantCalling() caller: TenantCaller,
    @Input() { params }: InputOf<typeof replayDelivery>,
  ): Promise<AnswerOf<typeof replayDelivery>> {
    return this.deliveries.replay(caller, params.webhook, params.delivery);
  }
}
