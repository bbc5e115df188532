import type { MigrationInterface, QueryRunner } from 'typeorm';

const SLUG = '[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?';
const ENVIRONMENT = '[a-z]([a-z0-9-]{0,14}[a-z0-9])?';
const SECRET = '[a-z0-9][a-z0-9_-]{0,62}';

/**
 * Environments of a server: each is a server of its own (`{server}~{environment}`), with its own URL, releases and
 * policy, and has secrets of its own (`{environment}~{name}`).
 */
export class Environments1763903100000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table servers
        add column environment text check (environment ~ '^${ENVIRONMENT}$' and environment <> 'production'),
        add column production_id uuid,
        add column calls_per_minute integer check (calls_per_minute > 0),
        add column concurrent_calls integer check (concurrent_calls > 0),
        add column audit_mode text check (audit_mode in ('process', 'disk', 'database')),
        add column egress_hosts text[] check (cardinality(egress_hosts) <= 64),
        add constraint servers_production foreign key (tenant_id, production_id) references servers (tenant_id, id),
        add constraint servers_environment check ((environment is null) = (production_id is null)
          and (environment is null) = (slug !~ '~')
          and (environment is not null
            or num_nonnulls(calls_per_minute, concurrent_calls, audit_mode, egress_hosts) = 0)),
        drop constraint servers_slug_check,
        add constraint servers_slug_check check (slug ~ '^${SLUG}(~${ENVIRONMENT})?$')`);
    await runner.query(`create index servers_of_production on servers (tenant_id, production_id)`);
    await runner.query(`alter table releases add column promoted_from uuid,
      add constraint releases_promoted_from foreign key (tenant_id, promoted_from) references releases (tenant_id, id)
        on delete set null (promoted_from)`);
    await runner.query(`create index releases_promoted on releases (tenant_id, promoted_from)
      where promoted_from is not null`);
    await runner.query(`alter table secrets drop constraint secrets_name_check,
      add constraint secrets_name_check check (name ~ '^(${ENVIRONMENT}~)?${SECRET}$')`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`delete from secrets where name ~ '~'`);
    await runner.query(`alter table secrets drop constraint secrets_name_check,
      add constraint secrets_name_check check (name ~ '^${SECRET}$')`);
    await runner.query(`alter table releases drop column promoted_from`);
    await runner.query(`update servers set live_release_id = null, previous_release_id = null where slug ~ '~'`);
    await runner.query(`delete from servers where slug ~ '~'`);
    await runner.query(`alter table servers drop constraint servers_environment, drop column production_id,
      drop column environment, drop column calls_per_minute, drop column concurrent_calls, drop column audit_mode,
      drop column egress_hosts, drop constraint servers_slug_check,
      add constraint servers_slug_check check (slug ~ '^${SLUG}$')`);
  }
}
