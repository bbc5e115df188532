import { appendAudit, type AuditEntry } from '#libs/audit';
import type { Transaction } from '#libs/database';

interface MonthOfUse {
  readonly month: string;
  readonly warn_percent: number;
  readonly warned: readonly string[];
  readonly reached: readonly string[];
  readonly budgets: ReadonlyArray<{ readonly budget: string; readonly used: number; readonly allowed: number | null }>;
}

/**
 * Says in the tenant's log, once, that a budget of its plan is nearly or wholly used up in this month; the gateways read
 * the same sums and hear of the second at once. Where a larger plan has made room, it can be said again.
 */
export async function watchBudgets(tx: Transaction, tenantId: string): Promise<void> {
  const [month]: MonthOfUse[] = await tx.query(
    `select to_char(u.month, 'YYYY-MM') as month, p.budget_warn_percent as warn_percent, u.warned, u.reached,
       jsonb_build_array(
         jsonb_build_object('budget', 'calls_per_month', 'used', u.calls, 'allowed', p.calls_per_month),
         jsonb_build_object('budget', 'tool_seconds_per_month', 'used', u.tool_ms / 1000,
           'allowed', p.tool_seconds_per_month),
         jsonb_build_object('budget', 'bytes_per_month', 'used', u.bytes, 'allowed', p.bytes_per_month),
         jsonb_build_object('budget', 'egress_bytes_per_month', 'used', u.egress_bytes,
           'allowed', p.egress_bytes_per_month)) as budgets
     from usage_months u cross join lateral plan_of(u.tenant_id) p
     where u.tenant_id = $1 and u.month = date_trunc('month', now() at time zone 'utc')::date`,
    [tenantId],
  );
  if (month === undefined) return;
  const past = (percent: number): string[] =>
    month.budgets
      .filter(({ used, allowed }) => allowed !== null && used * 100 >= allowed * percent)
      .map(({ budget }) => budget);
  const [warned, reached] = [past(month.warn_percent), past(100)];
  if (warned.join() === month.warned.join() && reached.join() === month.reached.join()) return;
  await tx.query(
    `update usage_months set warned = $2, reached = $3
     where tenant_id = $1 and month = date_trunc('month', now() at time zone 'utc')::date`,
    [tenantId, warned, reached],
  );
  await appendAudit(tx, tenantId, [
    ...warned.filter((budget) => !month.warned.includes(budget)).map((budget) => entry('budget.warned', budget, month)),
    ...reached
      .filter((budget) => !month.reached.includes(budget))
      .map((budget) => entry('budget.reached', budget, month)),
  ]);
}

function entry(event: 'budget.warned' | 'budget.reached', budget: string, { month, budgets }: MonthOfUse): AuditEntry {
  const { used = 0, allowed } = budgets.find((each) => each.budget === budget) ?? {};
  return {
    event,
    actor: { kind: 'system', id: 'usage' },
    target: `budget:${budget}`,
    outcome: 'ok',
    details: { budget, month, used, allowed: allowed ?? 0 },
  };
}
