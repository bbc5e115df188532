import { testDatabase } from '#libs/testing';
import { Client } from 'pg';
import type { QueryRunner } from 'typeorm';

/** A migrated database of a test file's own, as its owner sees it. */
export interface OwnedDatabase {
  readonly owner: Client;
  /** What a migration is given that the test runs once more. */
  readonly runner: QueryRunner;
  drop(): Promise<void>;
}

/** Opens one. */
export async function openOwnedDatabase(): Promise<OwnedDatabase> {
  const database = await testDatabase();
  const owner = new Client({ connectionString: database.databaseUrl });
  await owner.connect();
  const runner = { query: async (text: string) => (await owner.query(text)).rows };
  return {
    owner,
    runner: runner as unknown as QueryRunner, // these migrations ask it for nothing else
    async drop() {
      await owner.end();
      await database.drop();
    },
  };
}
