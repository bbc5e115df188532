import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { freePort } from '#libs/embedded';
import { emptyDatabase, testDatabase, testRedis, type TestDatabase, type TestRedis } from '#libs/testing';
import { migrate, MIGRATION_NAMES } from '#migrations';
import { Client } from 'pg';
import { SERVICES, Starting } from './starts.fixture.js';

/** What a service says that cannot begin, and that could no longer go on: what is wrong, and what to do. */
let redis: TestRedis;
let empty: TestDatabase;
let older: TestDatabase;
let whole: TestDatabase;

beforeAll(async () => {
  redis = await testRedis();
  empty = await emptyDatabase();
  older = await emptyDatabase();
  whole = await testDatabase();
  await migrate(older.databaseUrl, older.masterKey, { only: MIGRATION_NAMES.slice(0, -6) });
});

afterAll(async () => {
  await Promise.all([empty, older, whole].map((database) => database?.drop()));
});

const refusalOf = (name: (typeof SERVICES)[number], databaseUrl: string) =>
  new Starting(name, { databaseUrl, redisUrl: redis.redisUrl }).refused();

describe.each(SERVICES)('%s', (name) => {
  test('does not start on a database that was never migrated, and says what to run', async () => {
    const { code, said } = await refusalOf(name, empty.databaseUrl);
    expect([code, said]).toEqual([
      1,
      expect.stringMatching(/^The database has not the schema .*run `npm run migrate`/),
    ]);
  });

  test('does not start on the schema of an earlier version, and says what to run', async () => {
    const { code, said } = await refusalOf(name, older.databaseUrl);
    expect([code, said]).toEqual([
      1,
      expect.stringMatching(/^The database has not the schema .*run `npm run migrate`/),
    ]);
  });

  test('does not start while PostgreSQL is away, and says where it looked for it', async () => {
    const away = Object.assign(new URL(whole.databaseUrl), { port: String(await freePort()) });
    const { code, said } = await refusalOf(name, away.href);
    expect(code).toBe(1);
    expect(said).toMatch(
      /^PostgreSQL cannot be used at 127\.0\.0\.1:\d+\/test_\w+ \(.*ECONNREFUSED.*check DATABASE_URL\.$/m,
    );
    expect(said).not.toContain(away.password);
  });

  test('is not ready while a migration of its version is missing, and is again when it has run', async () => {
    const service = await new Starting(name, { databaseUrl: whole.databaseUrl, redisUrl: redis.redisUrl }).started();
    const owner = new Client({ connectionString: whole.databaseUrl });
    await owner.connect();
    const check = async (): Promise<string> => {
      const { status, text } = await service.ready();
      const checks = Object.values(JSON.parse(text) as Record<string, { checks: Record<string, string> }>)[0]?.checks;
      return `${status} ${checks?.['database'] ?? checks?.['postgres']}`;
    };
    expect(await check()).toMatch(/ (ok|warning: this PostgreSQL version.*)$/);
    const last = MIGRATION_NAMES.at(-1);
    const { rows } = await owner.query(`delete from migrations where name = $1 returning *`, [last]);
    expect(await check()).toMatch(
      /^503 The database has not the schema of this version \(1 of its migrations have not run, \d{13} is the first\)/,
    );
    await owner.query(`insert into migrations (id, timestamp, name) values ($1, $2, $3)`, [
      rows[0].id,
      rows[0].timestamp,
      last,
    ]);
    expect(await check()).toMatch(/ (ok|warning: this PostgreSQL version.*)$/);
    await owner.end();
    await service.stop();
  });
});
