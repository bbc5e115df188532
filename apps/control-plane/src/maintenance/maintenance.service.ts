import { AppError } from '#libs/errors';
import { Inject, Injectable } from '@nestjs/common';
import { regionOf } from '#libs/config';
import type { Database } from '#libs/database';
import type { OperatorCaller } from '../access/caller.js';
import type { AnswerOf, InputOf } from '../contract/contract.js';
import type { ControlPlaneConfig } from '../config.js';
import { actOf, lookOf } from '../operators/act.js';
import { requireRegion } from '../platform/regions.js';
import { CONFIG, OPERATOR_DATABASE } from '../platform/tokens.js';
import { MaintenanceWatch } from './maintenance-watch.js';
import { MaintenanceRepository, type MaintenanceRow } from './maintenance.repository.js';
import type { beginMaintenance, endMaintenance, showMaintenance } from './maintenance.schema.js';

/** Operators' word on maintenance. */
@Injectable()
export class MaintenanceService {
  constructor(
    @Inject(OPERATOR_DATABASE) private readonly database: Database,
    @Inject(MaintenanceRepository) private readonly maintenance: MaintenanceRepository,
    @Inject(MaintenanceWatch) private readonly watch: MaintenanceWatch,
    @Inject(CONFIG) private readonly config: ControlPlaneConfig,
  ) {}

  async show(caller: OperatorCaller): Promise<AnswerOf<typeof showMaintenance>> {
    const look = lookOf(caller, 'maintenance.show');
    return answerOf(await this.database.asOperator(look, (tx) => this.maintenance.list(tx)));
  }

  /** @throws AppError `precondition_failed` */
  async begin(
    caller: OperatorCaller,
    { body: { reason, ...asked }, precondition }: InputOf<typeof beginMaintenance>,
  ): Promise<AnswerOf<typeof beginMaintenance>> {
    const region = asked.region ?? null;
    if (region !== null) requireRegion(region, regionOf(this.config));
    const act = actOf(caller, { action: 'maintenance.begin', reason, details: asked });
    const rows = await this.database.asOperator(act, async (tx) => {
      precondition.require(answerOf(await this.maintenance.lock(tx)));
      await this.maintenance.begin(tx, { ...asked, region, reason });
      return this.maintenance.list(tx);
    });
    this.watch.forget();
    return answerOf(rows);
  }

  /** @throws AppError `precondition_failed`, `not_found` where the region that is named is not being maintained */
  async end(caller: OperatorCaller, { query, precondition }: InputOf<typeof endMaintenance>): Promise<void> {
    const { region, reason } = query;
    const details = region === undefined ? {} : { details: { region } };
    const act = actOf(caller, { action: 'maintenance.end', reason, ...details });
    await this.database.asOperator(act, async (tx, note) => {
      precondition.require(answerOf(await this.maintenance.lock(tx)));
      if (await this.maintenance.end(tx, region ?? null)) return;
      if (region !== undefined) throw noMaintenance(region);
      note.unchanged();
    });
    this.watch.forget();
  }
}

function noMaintenance(region: string): AppError {
  const message = `There is no maintenance of ${region}. See what there is with GET /admin/v1/maintenance.`;
  return new AppError('not_found', { message });
}

function answerOf(rows: readonly MaintenanceRow[]): AnswerOf<typeof showMaintenance> {
  const views = rows.map(viewOf);
  return {
    maintenance: views.find(({ region }) => region === null) ?? null,
    regions: views.filter(({ region }) => region !== null),
  };
}

function viewOf(row: MaintenanceRow): AnswerOf<typeof showMaintenance>['regions'][number] {
  return { ...row, until: row.until.toISOString() };
}

/** Maintenance as everybody may see it. */
export function maintenanceView(row: MaintenanceRow | undefined): AnswerOf<typeof showMaintenance>['maintenance'] {
  return row === undefined ? null : viewOf(row);
}
