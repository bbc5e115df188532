import type { MigrationInterface, QueryRunner } from 'typeorm';
import { stampSharedTable } from './support/tenant-table.js';

const REASON = 'operators belong to the platform';

/** Guesses at an operator's account are counted by where they come from, so that nobody's guesses shut its owner out. */
export class OperatorNetworks1763958100000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table operator_networks (
        operator_id uuid not null references operator_accounts (operator_id) on delete cascade,
        network text not null,
        signed_in_at timestamptz not null default now(),
        primary key (operator_id, network)
      );
      comment on column operator_networks.network is 'an IPv4 address, or the /64 of an IPv6 address';
      create table operator_attempts (
        id uuid primary key,
        operator_id uuid not null references operator_accounts (operator_id) on delete cascade,
        network text not null,
        -- Whether the operator had signed in from there.
        known boolean not null,
        -- What it counts as: written before it is judged, and deleted where it was right.
        wrong text not null check (wrong in ('password', 'code', 'locked')),
        at timestamptz not null default now()
      );
      create index operator_attempts_operator on operator_attempts (operator_id, at)`);
    for (const table of ['operator_networks', 'operator_attempts'])
      await stampSharedTable(runner, table, REASON, { wharf_operator: 'select, insert, update, delete' });
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`drop table operator_attempts, operator_networks`);
  }
}
