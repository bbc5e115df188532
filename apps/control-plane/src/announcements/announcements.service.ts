import { Inject, Injectable } from '@nestjs/common';
import { regionOf } from '#libs/config';
import { newId, type Database } from '#libs/database';
import { AppError } from '#libs/errors';
import type { OperatorCaller } from '../access/caller.js';
import type { AnswerOf, InputOf } from '../contract/contract.js';
import type { ControlPlaneConfig } from '../config.js';
import { MaintenanceWatch } from '../maintenance/maintenance-watch.js';
import { maintenanceView } from '../maintenance/maintenance.service.js';
import { actOf, lookOf } from '../operators/act.js';
import { pageByKey, pageOf } from '../paging/cursor.js';
import { requireRegion } from '../platform/regions.js';
import { CONFIG, OPERATOR_DATABASE, TENANT_DATABASE } from '../platform/tokens.js';
import { AnnouncementsRepository, type AnnouncementRow } from './announcements.repository.js';
import type { announce, listAnnouncements, showAnnouncements } from './announcements.schema.js';

const PRESENT_MAX = 50;

/** What operators announce, to every tenant or to those that a region serves. */
@Injectable()
export class AnnouncementsService {
  constructor(
    @Inject(OPERATOR_DATABASE) private readonly database: Database,
    @Inject(TENANT_DATABASE) private readonly tenants: Database,
    @Inject(AnnouncementsRepository) private readonly announcements: AnnouncementsRepository,
    @Inject(MaintenanceWatch) private readonly maintenance: MaintenanceWatch,
    @Inject(CONFIG) private readonly config: ControlPlaneConfig,
  ) {}

  async show(query: InputOf<typeof showAnnouncements>['query']): Promise<AnswerOf<typeof showAnnouncements>> {
    const rows = await this.tenants.asService((tx) =>
      this.announcements.present(tx, PRESENT_MAX, this.config.WHARF_REGION),
    );
    const page = pageByKey(rows, ({ starts_at: at, id }) => `${at.toISOString()} ${id}`, 'descending', query);
    const announcements = page.rows.map(view).map(({ withdrawn_at: _, ...shown }) => shown);
    return { announcements, maintenance: maintenanceView(await this.maintenance.find()), next_cursor: page.next };
  }

  async list(
    caller: OperatorCaller,
    { limit, cursor }: InputOf<typeof listAnnouncements>['query'],
  ): Promise<AnswerOf<typeof listAnnouncements>> {
    const rows = await this.database.asOperator(lookOf(caller, 'announcements.list'), (tx) =>
      this.announcements.list(tx, { limit: limit + 1, cursor }),
    );
    const page = pageOf(rows, limit);
    return { announcements: page.rows.map(view), next_cursor: page.next };
  }

  /** @throws AppError `conflict` for too many at once */
  async announce(
    caller: OperatorCaller,
    { reason, ...said }: InputOf<typeof announce>['body'],
  ): Promise<AnswerOf<typeof announce>> {
    if (said.region !== undefined) requireRegion(said.region, regionOf(this.config));
    const id = newId();
    const act = actOf(caller, { action: 'announcements.announce', reason, details: { announcement: id, ...said } });
    const row = await this.database.asOperator(act, async (tx) => {
      if ((await this.announcements.countPresent(tx)) >= PRESENT_MAX) throw tooMany();
      return this.announcements.insert(tx, { id, ...said });
    });
    if (row === undefined) throw new AppError('internal', { detail: { reason: 'an announcement without a row' } });
    return { announcement: view(row) };
  }

  /** @throws AppError `not_found` */
  async withdraw(caller: OperatorCaller, id: string, reason: string): Promise<void> {
    const act = actOf(caller, { action: 'announcements.withdraw', reason, details: { announcement: id } });
    await this.database.asOperator(act, async (tx) => {
      if (!(await this.announcements.withdraw(tx, id))) throw new AppError('not_found');
    });
  }
}

function view(row: AnnouncementRow): AnswerOf<typeof announce>['announcement'] {
  return {
    ...row,
    starts_at: row.starts_at.toISOString(),
    ends_at: row.ends_at.toISOString(),
    withdrawn_at: row.withdrawn_at?.toISOString() ?? null,
  };
}

function tooMany(): AppError {
  return new AppError('conflict', {
    message: `${PRESENT_MAX} announcements hold or are to come, which is the limit. Withdraw one first.`,
  });
}
