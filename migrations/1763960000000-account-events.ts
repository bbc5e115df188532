import type { MigrationInterface, QueryRunner } from 'typeorm';
import { stampSharedTable } from './support/tenant-table.js';

/** What happened to how a person signs in, until the log of each of their tenants says so, wherever it is. */
export class AccountEvents1763960000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table account_events (
        -- Of the entry too, in every log: one that is brought twice is written once.
        id uuid primary key,
        account_id uuid not null references accounts (id) on delete cascade,
        at timestamptz not null default now(),
        event text not null,
        outcome text not null,
        details jsonb not null,
        source_address text not null,
        -- Tenants whose log has it.
        told uuid[] not null default '{}',
        due_at timestamptz not null default now() + interval '1 minute'
      );
      create index account_events_due on account_events (due_at);
      create index account_events_account on account_events (account_id)`);
    await stampSharedTable(runner, 'account_events', 'belongs to a person, who may be a member of many tenants', {
      wharf_auth: 'select, insert, update (told, due_at), delete',
    });
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`drop table account_events`);
  }
}
