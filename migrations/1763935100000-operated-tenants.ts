import type { MigrationInterface, QueryRunner } from 'typeorm';
import { stampTenantTable } from './support/tenant-table.js';

/** What operators do about one tenant: limits of its own beside its plan, and looking at it through its own API. */
export class OperatedTenants1763935100000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await this.#limits(runner);
    await this.#impersonations(runner);
    await runner.query(`grant select on usage_hours, usage_months, call_rollups to wharf_operator`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`revoke select on usage_hours, usage_months, call_rollups from wharf_operator;
      revoke select (operator_id, role, disabled_at) on operator_accounts from wharf_control;
      drop table impersonations; drop function plan_of(uuid); drop table tenant_limits`);
  }

  async #limits(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table tenant_limits (
        tenant_id uuid primary key references tenants (id),
        limits jsonb not null check (jsonb_typeof(limits) = 'object'),
        reason text not null,
        updated_at timestamptz not null default now()
      );
      create trigger tenant_limits_changed after insert or update or delete on tenant_limits
        for each row execute function notify_tenant_change('tenant_id');
      create function plan_of(tenant uuid) returns setof plans language sql stable set search_path = public, pg_temp as $$
        select (jsonb_populate_record(p, coalesce(l.limits, '{}'::jsonb))).*
        from tenants t join plans p on p.name = t.plan left join tenant_limits l on l.tenant_id = t.id
        where t.id = tenant
      $$;
      comment on function plan_of is 'A tenant’s plan with the limits that operators gave it in place of the plan’s.'`);
    await stampTenantTable(runner, 'tenant_limits', {
      grants: {
        wharf_operator: 'select, insert, update, delete',
        wharf_control: 'select',
        wharf_gateway: 'select',
        wharf_background: 'select',
      },
    });
  }

  async #impersonations(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table impersonations (
        tenant_id uuid not null references tenants (id),
        id uuid not null,
        operator_id uuid not null references operators (id),
        reason text not null,
        token_hash text not null,
        created_at timestamptz not null default now(),
        expires_at timestamptz not null check (expires_at <= created_at + interval '61 minutes'),
        revoked_at timestamptz,
        uses integer not null default 0,
        last_used_at timestamptz,
        primary key (tenant_id, id),
        unique (tenant_id, token_hash)
      )`);
    await stampTenantTable(runner, 'impersonations', {
      grants: { wharf_operator: 'select, insert, update', wharf_control: 'select, update (uses, last_used_at)' },
    });
    // Whoever may no longer impersonate does not go on with what they began.
    await runner.query(`grant select (operator_id, role, disabled_at) on operator_accounts to wharf_control`);
  }
}
