import { Inject, Injectable } from '@nestjs/common';
import type { Database } from '#libs/database';
import type { OperatorCaller } from '../access/caller.js';
import type { AnswerOf, InputOf } from '../contract/contract.js';
import { actOf, lookOf } from '../operators/act.js';
import { OPERATOR_DATABASE } from '../platform/tokens.js';
import { MaintenanceWatch } from './maintenance-watch.js';
import { MaintenanceRepository, type MaintenanceRow } from './maintenance.repository.js';
import type { beginMaintenance, showMaintenance } from './maintenance.schema.js';

/** Operators' word on maintenance. */
@Injectable()
export class MaintenanceService {
  constructor(
    @Inject(OPERATOR_DATABASE) private readonly database: Database,
    @Inject(MaintenanceRepository) private readonly maintenance: MaintenanceRepository,
    @Inject(MaintenanceWatch) private readonly watch: MaintenanceWatch,
  ) {}

  async show(caller: OperatorCaller): Promise<AnswerOf<typeof showMaintenance>> {
    const look = lookOf(caller, 'maintenance.show');
    const row = await this.database.asOperator(look, (tx) => this.maintenance.find(tx));
    return { maintenance: maintenanceView(row) };
  }

  async begin(
    caller: OperatorCaller,
    { reason, ...asked }: InputOf<typeof beginMaintenance>['body'],
  ): Promise<AnswerOf<typeof beginMaintenance>> {
    const act = actOf(caller, { action: 'maintenance.begin', reason, details: asked });
    const row = await this.database.asOperator(act, async (tx) => {
      await this.maintenance.begin(tx, { ...asked, reason });
      return this.maintenance.find(tx);
    });
    this.watch.forget();
    return { maintenance: maintenanceView(row) };
  }

  async end(caller: OperatorCaller, reason: string): Promise<void> {
    const act = actOf(caller, { action: 'maintenance.end', reason });
    await this.database.asOperator(act, (tx) => this.maintenance.end(tx));
    this.watch.forget();
  }
}

/** Maintenance as everybody may see it. */
export function maintenanceView(row: MaintenanceRow | undefined): AnswerOf<typeof showMaintenance>['maintenance'] {
  return row === undefined ? null : { ...row, until: row.until.toISOString() };
}
