import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Everybody is remembered who was given a client's secret: an earlier one may be good for days beside the next. */
export class HoldersOfSecrets1763967000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table clients
        alter column secret_given_to type uuid[]
          using case when secret_given_to is null then '{}' else array[secret_given_to] end,
        alter column secret_given_to set default '{}',
        alter column secret_given_to set not null;
      comment on column clients.secret_given_to is 'the accounts that replaced its secret or its keys'`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table clients
        alter column secret_given_to drop not null,
        alter column secret_given_to drop default,
        alter column secret_given_to type uuid using secret_given_to[cardinality(secret_given_to)];
      comment on column clients.secret_given_to is 'the account that replaced its secret or its keys last'`);
  }
}
