import type { MigrationInterface, QueryRunner } from 'typeorm';
import { stampTenantTable } from './support/tenant-table.js';

/** Audit records leave the log only for an archive, when their plan’s time is over. */
export class AuditArchives1763751000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table plans add column audit_retention_days integer not null default 365
        check (audit_retention_days between 30 and 2557);
      alter table audit_trees add column archived bigint not null default 0;
      alter table audit_trees add column archive_due timestamptz not null default now() + interval '30 days';
      create table audit_archives (
        tenant_id uuid not null references tenants (id),
        first_leaf bigint not null,
        end_leaf bigint not null check (end_leaf > first_leaf),
        digest text not null check (digest ~ '^sha256:[0-9a-f]{64}$'),
        bytes integer not null,
        content bytea not null,
        created_at timestamptz not null default now(),
        primary key (tenant_id, first_leaf)
      );
      create trigger audit_archives_append_only before update or delete or truncate on audit_archives
        for each statement execute function refuse_change();
      drop trigger audit_log_append_only on audit_log;
      create trigger audit_log_unchangeable before update or truncate on audit_log
        for each statement execute function refuse_change();
      create function refuse_unarchived() returns trigger language plpgsql set search_path = pg_catalog as $$
      begin
        if not exists (select from public.audit_archives a where a.tenant_id = old.tenant_id
          and old.leaf_index >= a.first_leaf and old.leaf_index < a.end_leaf) then
          raise exception 'audit records are append-only, until they are in an archive';
        end if;
        return old;
      end $$;
      create trigger audit_log_kept before delete on audit_log for each row execute function refuse_unarchived()`);
    await runner.query(`grant delete on audit_log to wharf_background`);
    await stampTenantTable(runner, 'audit_archives', {
      grants: { wharf_control: 'select', wharf_background: 'select, insert' },
    });
  }

  async down(): Promise<void> {
    throw new Error('An audit log is not taken apart again: restore a backup instead.');
  }
}
