import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A server says to which servers its callers may be passed on; one that named clients before goes on as it was. */
export class ExchangeServers1763822000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`alter table servers add column exchange_servers text[] not null default '{}'`);
    // Forced security hides every tenant's rows from the owner too, who must see all of them for this once.
    await runner.query(`alter table servers no force row level security`);
    await runner.query(`
      update servers s set exchange_servers = (
        select coalesce(array_agg(o.slug order by o.slug), '{}') from servers o
        where o.tenant_id = s.tenant_id and o.id <> s.id)
      where cardinality(s.exchange_clients) > 0`);
    await runner.query(`alter table servers force row level security`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`alter table servers drop column exchange_servers`);
  }
}
