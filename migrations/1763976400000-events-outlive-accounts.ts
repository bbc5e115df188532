import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What happened to an account is brought to the logs of those who were its tenants then, also once the account is forgotten:
 * an entry that still waits for a database that is away goes when each log has it, and not with the person.
 */
export class EventsOutliveAccounts1763976400000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`alter table account_events drop constraint account_events_account_id_fkey`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      delete from account_events e where not exists (select from accounts a where a.id = e.account_id);
      alter table account_events add constraint account_events_account_id_fkey
        foreign key (account_id) references accounts (id) on delete cascade`);
  }
}
