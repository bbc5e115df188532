import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Operators may take a move back until the tenant begins to be at home where it goes. */
export class AbandonedMoves1763961200000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- Why an operator took it back; whoever moves the tenant sees to the rest.
      alter table tenant_moves add column abandoned text check (length(abandoned) between 1 and 1000);
      -- From then on it is not taken back: the tenant may be at home in the target already.
      alter table tenant_moves add column settling_at timestamptz;
      grant update (abandoned) on tenant_moves to wharf_operator;
      grant update (settling_at) on tenant_moves to wharf_mover`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`alter table tenant_moves drop column abandoned, drop column settling_at`);
  }
}
