import type { MigrationInterface, QueryRunner } from 'typeorm';

const READ = ['tenants', 'api_keys', 'clients', 'audit_log'];

/** It is remembered whose hands a key or a client's secret was given into: they do not approve what is called with it. */
export class MakersOfKeys1763962000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- No foreign keys: who left made it all the same.
      alter table api_keys add column created_by uuid;
      comment on column api_keys.created_by is 'the account that was shown its text';
      alter table clients add column created_by uuid, add column secret_given_to uuid;
      comment on column clients.created_by is 'the account that registered it';
      comment on column clients.secret_given_to is 'the account that replaced its secret or its keys last'`);
    // The owner of the schema need not be above row-level security.
    for (const table of READ) await runner.query(`alter table ${table} no force row level security`);
    await this.rememberFromTheLog(runner);
    for (const table of READ) await runner.query(`alter table ${table} force row level security`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`alter table clients drop column created_by, drop column secret_given_to`);
    await runner.query(`alter table api_keys drop column created_by`);
  }

  /** Keys that were made with keys are whose those are; how long such a chain is is bounded by how many keys there are. */
  private async rememberFromTheLog(runner: QueryRunner): Promise<void> {
    await runner.query(`
      do $$
      declare remembered bigint;
      begin
        update clients c set created_by = (a.actor ->> 'id')::uuid from audit_log a
        where a.tenant_id = c.tenant_id and a.target = 'client:' || c.id and a.event = 'client.created'
          and a.actor ->> 'kind' = 'person';
        create temporary table key_makers on commit drop as
          select k.tenant_id, k.id, a.actor ->> 'kind' as kind, (a.actor ->> 'id')::uuid as maker
          from api_keys k join audit_log a on a.tenant_id = k.tenant_id and a.target = 'api_key:' || k.id
          where a.event = 'api_key.created' and a.actor ->> 'kind' in ('person', 'api-key')
          union all
          select a.tenant_id, (a.details ->> 'successor')::uuid, a.actor ->> 'kind', (a.actor ->> 'id')::uuid
          from tenants t join audit_log a on a.tenant_id = t.id and a.event = 'api_key.rotated'
          where a.actor ->> 'kind' in ('person', 'api-key');
        update api_keys k set created_by = m.maker from key_makers m
        where m.tenant_id = k.tenant_id and m.id = k.id and m.kind = 'person';
        loop
          update api_keys k set created_by = by.created_by from key_makers m, api_keys by
          where m.tenant_id = k.tenant_id and m.id = k.id and m.kind = 'api-key' and k.created_by is null
            and by.tenant_id = k.tenant_id and by.id = m.maker and by.created_by is not null;
          get diagnostics remembered = row_count;
          exit when remembered = 0;
        end loop;
      end $$`);
  }
}
