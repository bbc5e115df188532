import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What keeps records from being lost looks at whole statements, and calls, which are most of the log, stand in fewer indexes. */
export class AuditLogCost1763751500000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      drop trigger audit_records_kept on audit_records;
      create or replace function refuse_loss() returns trigger language plpgsql set search_path = pg_catalog as $$
      begin
        -- Each row is looked up by its key, whatever the planner believes of how many there are.
        if exists (select from gone g left join lateral (
          select 1 as found from public.audit_log l where l.tenant_id = g.tenant_id and l.id = g.id limit 1) kept on true
          where kept.found is null) then
          raise exception 'an audit record leaves its arrivals only for the log';
        end if;
        return null;
      end $$;
      create trigger audit_records_kept after delete on audit_records referencing old table as gone
        for each statement execute function refuse_loss();

      drop trigger audit_log_kept on audit_log;
      create or replace function refuse_unarchived() returns trigger language plpgsql set search_path = pg_catalog as $$
      begin
        if exists (select from gone g where not exists (
          select from public.audit_archives a where a.tenant_id = g.tenant_id
            and g.leaf_index >= a.first_leaf and g.leaf_index < a.end_leaf)) then
          raise exception 'audit records are append-only, until they are in an archive';
        end if;
        return null;
      end $$;
      create trigger audit_log_kept after delete on audit_log referencing old table as gone
        for each statement execute function refuse_unarchived();

      drop index audit_log_event;
      drop index audit_log_target;
      create index audit_log_event on audit_log (tenant_id, event, id) where event <> 'call.completed';
      create index audit_log_target on audit_log (tenant_id, target, id) where event <> 'call.completed';
      alter table audit_records set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000,
        autovacuum_vacuum_cost_delay = 0)`);
  }

  async down(): Promise<void> {
    throw new Error('An audit log is not taken apart again: restore a backup instead.');
  }
}
