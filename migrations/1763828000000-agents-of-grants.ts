import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The provider's grants name, as a hash, whom they let act for whom where, so that they end together. */
export class AgentsOfGrants1763828000000 implements MigrationInterface {
  name = 'AgentsOfGrants1763828000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`alter table oauth_artifacts add column agent_hash text`);
    await runner.query(
      `create index oauth_artifacts_agent on oauth_artifacts (agent_hash) where agent_hash is not null`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`alter table oauth_artifacts drop column agent_hash`);
  }
}
