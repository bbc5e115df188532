import { Injectable } from '@nestjs/common';
import type { Transaction } from '#libs/database';
import type { AnswerOf, InputOf } from '../contract/contract.js';
import { limitsOfOwn } from '../platform-plans/plan-settings.js';
import type { setLimits, showLimits } from './platform-limits.schema.js';

type Limits = InputOf<typeof setLimits>['body']['limits'];

const EFFECTIVE = Object.keys(limitsOfOwn.shape)
  .map((name) => `'${name}', p.${name}`)
  .join(', ');

/** Limits of one tenant, whose the transaction is. */
@Injectable()
export class PlatformLimitsRepository {
  async find(tx: Transaction, tenantId: string): Promise<AnswerOf<typeof showLimits> | undefined> {
    const rows: Array<AnswerOf<typeof showLimits>> = await tx.query(
      `select p.name as plan, coalesce(l.limits, '{}') as limits, l.reason, jsonb_build_object(${EFFECTIVE}) as effective
       from plan_of($1) p left join tenant_limits l on l.tenant_id = $1`,
      [tenantId],
    );
    return rows[0];
  }

  /** Keeps other changes of them waiting until the transaction ends. */
  async lock(tx: Transaction, tenantId: string): Promise<void> {
    await tx.query(`select pg_advisory_xact_lock(hashtextextended('tenant-limits:' || $1, 0))`, [tenantId]);
  }

  /** Sets them; none at all leaves everything to the plan. */
  async set(tx: Transaction, tenantId: string, limits: Limits, reason: string): Promise<void> {
    if (Object.keys(limits).length === 0) {
      await tx.query(`delete from tenant_limits where tenant_id = $1`, [tenantId]);
      return;
    }
    await tx.query(
      `insert into tenant_limits (tenant_id, limits, reason) values ($1, $2, $3)
       on conflict (tenant_id) do update set limits = excluded.limits, reason = excluded.reason, updated_at = now()`,
      [tenantId, JSON.stringify(limits), reason],
    );
  }
}
