import type { MigrationInterface, QueryRunner } from 'typeorm';

/** That no arrival is lost is looked up by the key of the log, whatever the planner knows of the month. */
export class ArrivalsByKey1763965000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    // In the order of the key and from the key to the key: its own index alone gives that, also while a month is new and
    // nothing is known of it. By equality the planner then took another, which walks through all of a tenant's records
    // for each one, and kept to it for as long as nobody analysed the month.
    await refuseLoss(runner, 'l.id >= g.id and l.id <= g.id order by l.tenant_id, l.id');
  }

  async down(runner: QueryRunner): Promise<void> {
    await refuseLoss(runner, 'l.id = g.id');
  }
}

async function refuseLoss(runner: QueryRunner, sameRecord: string): Promise<void> {
  await runner.query(`
    create or replace function refuse_loss() returns trigger language plpgsql set search_path = pg_catalog as $$
    begin
      if current_user = 'wharf_life_cycle' then
        if exists (select from gone g where not public.is_being_deleted(g.tenant_id)) then
          raise exception 'an audit record leaves its arrivals only for the log, or with its tenant';
        end if;
        return null;
      end if;
      -- Each row is looked up by its key, whatever the planner believes of how many there are.
      if exists (select from gone g left join lateral (
        select 1 as found from public.audit_log l where l.tenant_id = g.tenant_id and ${sameRecord} limit 1) kept on true
        where kept.found is null) then
        raise exception 'an audit record leaves its arrivals only for the log';
      end if;
      return null;
    end $$`);
}
