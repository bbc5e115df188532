import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The end of a move that was not made is told to the tenant's log, also where the tenant was never closed for it. */
export class EndsOfMoves1763968100000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table tenant_moves add column told_at timestamptz;
      comment on column tenant_moves.told_at is 'of one that was not made: since when the tenant’s log says so';
      update tenant_moves set told_at = ended_at where state = 'failed';
      create index tenant_moves_untold on tenant_moves (requested_at) where state in ('reopened', 'failed') and told_at is null;
      grant update (told_at) on tenant_moves to wharf_background`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      revoke update (told_at) on tenant_moves from wharf_background;
      alter table tenant_moves drop column told_at`);
  }
}
