import type { MigrationInterface, QueryRunner } from 'typeorm';

/** It is remembered whose hands a key or a client's secret was given into: they do not approve what is called with it. */
export class MakersOfKeys1763962000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- No foreign keys: who left made it all the same.
      alter table api_keys add column created_by uuid;
      comment on column api_keys.created_by is 'the account that was shown its text';
      alter table clients add column created_by uuid, add column secret_given_to uuid;
      comment on column clients.created_by is 'the account that registered it';
      comment on column clients.secret_given_to is 'the account that replaced its secret or its keys last'`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`alter table clients drop column created_by, drop column secret_given_to`);
    await runner.query(`alter table api_keys drop column created_by`);
  }
}
