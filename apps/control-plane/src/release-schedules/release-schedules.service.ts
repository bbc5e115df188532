import { Inject, Injectable } from '@nestjs/common';
import { appendAudit } from '#libs/audit';
import type { Database } from '#libs/database';
import { AppError } from '#libs/errors';
import { holdAt, readSchedule, writeSchedule, type ReleaseSchedule } from '#libs/rollouts';
import { doneBy, type TenantCaller } from '../access/caller.js';
import type { AnswerOf, InputOf } from '../contract/contract.js';
import { TENANT_DATABASE } from '../platform/tokens.js';
import { ServersRepository } from '../servers/servers.repository.js';
import type { changeReleaseSchedule, getReleaseSchedule } from './release-schedules.schema.js';

type Answer = AnswerOf<typeof getReleaseSchedule>;

/** Shows and changes when the releases of servers may go out. */
@Injectable()
export class ReleaseSchedulesService {
  constructor(
    @Inject(TENANT_DATABASE) private readonly database: Database,
    @Inject(ServersRepository) private readonly servers: ServersRepository,
  ) {}

  /** @throws AppError `not_found` */
  async get({ tenantId }: TenantCaller, slug: string): Promise<Answer> {
    return this.database.asTenant(tenantId, async (tx) => {
      const server = await this.servers.find(tx, tenantId, slug);
      if (server === undefined) throw new AppError('not_found');
      return view(await readSchedule(tx, tenantId, server.id));
    });
  }

  /** @throws AppError `not_found`, `precondition_failed` */
  async change(
    caller: TenantCaller,
    { params, body: schedule, precondition }: InputOf<typeof changeReleaseSchedule>,
  ): Promise<Answer> {
    const { tenantId } = caller;
    return this.database.asTenant(tenantId, async (tx) => {
      const server = await this.servers.lock(tx, tenantId, params.server);
      if (server === undefined) throw new AppError('not_found');
      precondition.require(view(await readSchedule(tx, tenantId, server.id)).schedule);
      await writeSchedule(tx, tenantId, server.id, schedule);
      await appendAudit(tx, tenantId, [
        doneBy(caller, { event: 'release_schedule.changed', target: `server:${server.id}`, details: { ...schedule } }),
      ]);
      return view(schedule);
    });
  }
}

function view(schedule: ReleaseSchedule): Answer {
  const { windows, freeze } = schedule;
  return {
    schedule: { windows: windows.map((window) => ({ ...window, days: [...window.days] })), freeze },
    hold: holdAt(schedule, new Date()) ?? null,
  };
}
