import { Injectable } from '@nestjs/common';
import type { Transaction } from '#libs/database';
import type { Effect, RuleScope } from '#libs/policies';

/** What a rule says. */
export interface PolicyChoices {
  readonly priority: number;
  readonly enabled: boolean;
  readonly scope: RuleScope;
  readonly effect: Effect;
  readonly expression: string;
  readonly message: string | null;
  readonly servers: readonly string[];
  readonly approval_seconds: number;
  readonly self_approval: boolean;
}

/** A rule on calls. */
export interface PolicyRow extends PolicyChoices {
  readonly name: string;
  readonly updated_at: Date;
}

const COLUMNS =
  'name, priority, enabled, scope, effect, expression, message, servers, approval_seconds, self_approval, updated_at';

/** A tenant's rules on calls. */
@Injectable()
export class PoliciesRepository {
  list(tx: Transaction, tenantId: string): Promise<PolicyRow[]> {
    return tx.query(`select ${COLUMNS} from policies where tenant_id = $1 order by name`, [tenantId]);
  }

  /** All rules, of which none changes until the transaction ends. */
  async lock(tx: Transaction, tenantId: string): Promise<PolicyRow[]> {
    await tx.query(`select pg_advisory_xact_lock(hashtextextended($1, 0))`, [`policies:${tenantId}`]);
    return this.list(tx, tenantId);
  }

  async put(tx: Transaction, tenantId: string, name: string, policy: PolicyChoices): Promise<PolicyRow> {
    const { priority, enabled, scope, effect, expression, message, servers } = policy;
    const { approval_seconds: seconds, self_approval: own } = policy;
    const rows: [PolicyRow] = await tx.query(
      `insert into policies (tenant_id, name, priority, enabled, scope, effect, expression, message, servers,
         approval_seconds, self_approval)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
       on conflict (tenant_id, name) do update set priority = excluded.priority, enabled = excluded.enabled,
         scope = excluded.scope, effect = excluded.effect, expression = excluded.expression,
         message = excluded.message, servers = excluded.servers, approval_seconds = excluded.approval_seconds,
         self_approval = excluded.self_approval, updated_at = now()
       returning ${COLUMNS}`,
      [tenantId, name, priority, enabled, scope, effect, expression, message, servers, seconds, own],
    );
    return rows[0];
  }

  async remove(tx: Transaction, tenantId: string, name: string): Promise<void> {
    await tx.query(`delete from policies where tenant_id = $1 and name = $2`, [tenantId, name]);
  }

  /** Which of these slugs name no server of the tenant. */
  async unknownServers(tx: Transaction, tenantId: string, slugs: readonly string[]): Promise<string[]> {
    const rows: Array<{ slug: string }> = await tx.query(
      `select n.slug from unnest($2::text[]) as n(slug)
       where not exists (select from servers s where s.tenant_id = $1 and s.slug = n.slug)`,
      [tenantId, slugs],
    );
    return rows.map(({ slug }) => slug);
  }
}
