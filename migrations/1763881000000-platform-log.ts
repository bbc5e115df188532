import type { MigrationInterface, QueryRunner } from 'typeorm';
import { stampSharedTable } from './support/tenant-table.js';

const REASON = 'what operators did belongs to the platform';

/** What operators did gets numbers and a Merkle tree of its own, and can no longer be changed. */
export class PlatformLog1763881000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create index operator_actions_at on operator_actions (at);
      create table operator_log (
        leaf_index bigint primary key,
        action_id uuid not null unique,
        at timestamptz not null
      );
      create index operator_log_at on operator_log (at);
      create table platform_tiles (
        level smallint not null,
        tile_index bigint not null,
        hashes bytea not null check (length(hashes) between 32 and 8192 and length(hashes) % 32 = 0),
        primary key (level, tile_index)
      );
      create table platform_checkpoints (
        size bigint primary key,
        root bytea not null,
        note text not null,
        created_at timestamptz not null default now()
      )`);
    for (const table of ['operator_actions', 'operator_log', 'platform_checkpoints'])
      await runner.query(`
        create trigger ${table}_append_only before update or delete or truncate on ${table}
          for each statement execute function refuse_change()`);
    await runner.query(`grant select on operator_actions to wharf_background`);
    await runner.query(`grant select (id, public_key, created_at) on audit_keys to wharf_operator`);
    const appended = { wharf_background: 'select, insert', wharf_operator: 'select' };
    await stampSharedTable(runner, 'operator_log', REASON, appended);
    await stampSharedTable(runner, 'platform_checkpoints', REASON, appended);
    await stampSharedTable(runner, 'platform_tiles', REASON, {
      wharf_background: 'select, insert, update',
      wharf_operator: 'select',
    });
  }

  async down(): Promise<void> {
    throw new Error('An audit log is not taken apart again: restore a backup instead.');
  }
}
