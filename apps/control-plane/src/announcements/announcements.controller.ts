import { Controller, Delete, Get, Inject, Post } from '@nestjs/common';
import { OperatorCalling, type OperatorCaller } from '../access/caller.js';
import { RequirePermission } from '../access/permissions.js';
import { Contract, Input, type AnswerOf, type InputOf } from '../contract/contract.js';
import { announce, listAnnouncements, showAnnouncements, withdrawAnnouncement } from './announcements.schema.js';
import { AnnouncementsService } from './announcements.service.js';

/** What operators announce. */
@Controller()
export class AnnouncementsController {
  constructor(@Inject(AnnouncementsService) private readonly announcements: AnnouncementsService) {}

  @Get('v1/announcements')
  @RequirePermission('tenant.read')
  @Contract(showAnnouncements)
  show(@Input() { query }: InputOf<typeof showAnnouncements>): Promise<AnswerOf<typeof showAnnouncements>> {
    return this.announcements.show(query);
  }

  @Get('admin/v1/announcements')
  @RequirePermission('platform.notices.read')
  @Contract(listAnnouncements)
  list(
    @OperatorCalling() caller: OperatorCaller,
    @Input() { query }: InputOf<typeof listAnnouncements>,
  ): Promise<AnswerOf<typeof listAnnouncements>> {
    return this.announcements.list(caller, query);
  }

  @Post('admin/v1/announcements')
  @RequirePermission('platform.notices.write')
  @Contract(announce)
  announce(
    @OperatorCalling() caller: OperatorCaller,
    @Input() { body }: InputOf<typeof announce>,
  ): Promise<AnswerOf<typeof announce>> {
    return this.announcements.announce(caller, body);
  }

  @Delete('admin/v1/announcements/:id')
  @RequirePermission('platform.notices.write')
  @Contract(withdrawAnnouncement)
  withdraw(
    @OperatorCalling() caller: OperatorCaller,
    @Input() { params, query }: InputOf<typeof withdrawAnnouncement>,
  ): Promise<void> {
    return this.announcements.withdraw(caller, params.id, query.reason);
  }
}
