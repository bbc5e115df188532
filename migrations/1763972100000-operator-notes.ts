import type { MigrationInterface, QueryRunner } from 'typeorm';
import { stampSharedTable } from './support/tenant-table.js';

/** What operators did to tenants outside the database, until the log of each tenant says so, wherever it is. */
export class OperatorNotes1763972100000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table operator_notes (
        -- Of the entry too: one that is brought twice is written once.
        id uuid primary key,
        tenant_id uuid not null,
        -- The order that it is about, as the platform's log calls it.
        order_id uuid not null,
        at timestamptz not null default now(),
        entry jsonb not null,
        -- Null until what came of the order is known.
        outcome text,
        due_at timestamptz not null
      );
      create index operator_notes_due on operator_notes (due_at);
      create index operator_notes_order on operator_notes (order_id)`);
    await stampSharedTable(
      runner,
      'operator_notes',
      'what operators did to a tenant must be noted while the tenant’s own database is away',
      { wharf_operator: 'select, insert, update (outcome, due_at), delete' },
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`drop table operator_notes`);
  }
}
