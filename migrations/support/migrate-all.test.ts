import { expect, test } from '@jest/globals';
import { Secret } from '#libs/config';
import { emptyDatabase, testDatabase, TEST_MASTER_KEY } from '#libs/testing';
import { MIGRATION_NAMES, migrateAll } from '#migrations';
import { Client } from 'pg';

async function asked(databaseUrl: string, sql: string): Promise<unknown[]> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  const { rows } = await client.query(sql);
  await client.end();
  return rows;
}

test('a dedicated database becomes like the common one and is told its name; another’s is refused untouched', async () => {
  const [common, own] = await Promise.all([testDatabase(), emptyDatabase()]);
  const at = (name: string, url = own.databaseUrl): Map<string, Secret> => new Map([[name, new Secret(url)]]);
  const migrated = (names: Map<string, Secret>, url = common.databaseUrl) => migrateAll(url, TEST_MASTER_KEY, names);
  await asked(common.databaseUrl, `update plans set servers_max = 99 where name = 'free'`);
  expect(await migrated(at('own'))).toEqual([
    { database: undefined, names: [] },
    { database: 'own', names: [...MIGRATION_NAMES] },
  ]);
  expect(await migrated(at('own'))).toEqual([
    { database: undefined, names: [] },
    { database: 'own', names: [] },
  ]);
  const installation = `select database, migrated_to from installation`;
  const migrated_to = MIGRATION_NAMES.at(-1);
  expect(await asked(own.databaseUrl, installation)).toEqual([{ database: 'own', migrated_to }]);
  expect(await asked(common.databaseUrl, installation)).toEqual([{ database: null, migrated_to }]);
  expect(await asked(own.databaseUrl, `select servers_max from plans where name = 'free'`)).toEqual([
    { servers_max: 99 },
  ]);

  await expect(migrated(at('other'))).rejects.toThrow('dedicated database other: The database that other');
  await expect(migrated(new Map(), own.databaseUrl)).rejects.toThrow('DATABASE_URL leads to is own');
  await asked(
    common.databaseUrl,
    `insert into accounts (id, email, password_hash) values (gen_random_uuid(), 'a@b.example', 'h')`,
  );
  await expect(migrated(at('itself', common.databaseUrl))).rejects.toThrow('leads to a common database');
  await expect(migrated(at('gone', 'postgres://nobody@127.0.0.1:1/gone'))).rejects.toThrow('dedicated database gone: ');
  await Promise.all([common.drop(), own.drop()]);
});
