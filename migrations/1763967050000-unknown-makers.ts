import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * A key or client that a service of an earlier version makes while the next is rolled out says nothing of its maker, and is
 * marked by this default: what is called with it, nobody approves. This
 * version's services say whether they know: whoever makes one with a key of nobody's does not make it theirs.
 */
export class UnknownMakers1763967050000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const table of ['api_keys', 'clients'])
      await runner.query(`
        alter table ${table} add column maker_unknown boolean not null default false;
        alter table ${table} alter column maker_unknown set default true;
        comment on column ${table}.maker_unknown is 'written by whoever did not know of makers'`);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of ['api_keys', 'clients']) await runner.query(`alter table ${table} drop column maker_unknown`);
  }
}
