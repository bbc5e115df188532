import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A tenant is held for as many matters as there are: each hold has a name of its own, stays as it is, and is lifted by itself. */
export class SeveralHolds1763971000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table legal_holds add column id uuid not null default gen_random_uuid();
      alter table legal_holds drop constraint legal_holds_pkey, add primary key (tenant_id, id);
      revoke update on legal_holds from wharf_operator`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      do $$ begin
        if exists (select from legal_holds group by tenant_id having count(*) > 1) then
          raise exception 'a tenant is held more than once, and no hold is thrown away: lift all but one of each tenant first';
        end if;
      end $$;
      grant update on legal_holds to wharf_operator;
      alter table legal_holds drop constraint legal_holds_pkey, add primary key (tenant_id);
      alter table legal_holds drop column id`);
  }
}
