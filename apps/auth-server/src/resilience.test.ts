import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { Database } from '#libs/database';
import { testDatabase, type TestDatabase } from '#libs/testing';
import { createLogger } from '#libs/telemetry';
import { artifactSweep } from './provider/artifacts/artifact-sweep.js';
import { provideSigningKeys } from './signing-keys/signing-keys.js';
import { AuthWorld, REDIRECT } from './testing/auth-world.fixture.js';

describe('without Redis', () => {
  let world: AuthWorld;

  beforeAll(async () => {
    world = await AuthWorld.open({ REDIS_URL: 'redis://127.0.0.1:1', WHARF_REGISTRATIONS_PER_HOUR: '2' });
  });
  afterAll(async () => world.close());

  test('people sign in, limits hold for the instance, and readiness warns', async () => {
    const acme = await world.addTenant('acme');
    await world.addPerson('ana@acme.test', { [acme]: 'user' });
    const client = await world.register();
    expect((await world.signedIn(client, `${world.url}/t/acme/mcp`, 'ana@acme.test')).status).toBe(200);
    await world.register();
    expect((await world.json('/auth/register', { redirect_uris: [REDIRECT] })).status).toBe(429);
    expect(await world.readiness()).toMatchObject({ ok: true, checks: { redis: expect.stringMatching(/^warning:/) } });
  });
});

describe('without PostgreSQL', () => {
  let world: AuthWorld;

  beforeAll(async () => {
    world = await AuthWorld.open();
  });
  afterAll(async () => world.close());

  test('it stays ready, for no other instance would do better, and says when to come again', async () => {
    const own = new URL(world.store.databaseUrl);
    const elsewhere = new Client({ connectionString: new URL('/postgres', own).toString() });
    await elsewhere.connect();
    const shut = (isOpen: boolean): Promise<unknown> =>
      elsewhere.query(`alter database "${own.pathname.slice(1)}" with allow_connections ${isOpen}`);
    await shut(false);
    try {
      await elsewhere.query(
        `select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and usename <> current_user`,
        [own.pathname.slice(1)],
      );
      const away = expect.stringMatching(/^warning: PostgreSQL does not answer/);
      expect(await world.readiness()).toMatchObject({ ok: true, checks: { database: away, signing_key: away } });
      const refused = await world.json('/auth/register', { redirect_uris: [REDIRECT] });
      expect([refused.status, refused.headers.has('retry-after')]).toEqual([503, true]);
    } finally {
      await shut(true);
      await elsewhere.end();
    }
    expect(await world.readiness()).toMatchObject({ ok: true, checks: { database: 'ok', signing_key: 'ok' } });
    await world.owner.query(`delete from migrations`);
    expect(await world.readiness()).toMatchObject({ ok: false });
  });
});

describe('instances side by side', () => {
  let own: TestDatabase;
  let database: Database;
  let owner: Client;

  beforeAll(async () => {
    own = await testDatabase();
    owner = new Client({ connectionString: own.databaseUrl });
    await owner.connect();
    database = await Database.connect({ ...own, role: 'wharf_auth' });
  });
  afterAll(async () => {
    await database.close();
    await owner.end();
    await own.drop();
  });

  test('make one signing key together, which another master key cannot open', async () => {
    const made = await Promise.all(Array.from({ length: 5 }, () => provideSigningKeys(database, own.masterKey)));
    expect(new Set(made.map((keys) => keys[0]?.kid)).size).toBe(1);
    const { Secret } = await import('#libs/config');
    await expect(provideSigningKeys(database, new Secret('x'.repeat(44)))).rejects.toThrow();
  });

  test('a key that is to be retired gets a successor, which is published before it signs', async () => {
    const [old] = await provideSigningKeys(database, own.masterKey);
    await owner.query(`update signing_keys set retires_at = now() + interval '1 hour'`);
    const keys = await provideSigningKeys(database, own.masterKey);
    expect(keys.map(({ kid }) => kid)).toEqual([old?.kid, expect.not.stringMatching(old?.kid ?? '')]);
    await owner.query(`update signing_keys set retires_at = now() where kid = $1`, [old?.kid]);
    expect(await provideSigningKeys(database, own.masterKey)).toHaveLength(1);
  });

  test('expired state is deleted in batches, the rest is kept', async () => {
    await database.asService((tx) =>
      tx.query(
        `insert into oauth_artifacts (model, id_hash, payload, expires_at)
         select 'AuthorizationCode', n::text, '{}'::jsonb, now() - interval '1 second' from generate_series(1, 2500) n
         union all select 'AuthorizationCode', 'kept', '{}'::jsonb, now() + interval '1 hour'
         union all select 'AuthorizationCode', 'lasting', '{}'::jsonb, null`,
      ),
    );
    const sweep = artifactSweep(database, createLogger('test', 'silent'));
    expect(await sweep.sweep()).toBe(2_500);
    await sweep.stop();
    const rows: Array<{ id_hash: string }> = await database.asService((tx) =>
      tx.query(`select id_hash from oauth_artifacts order by id_hash`),
    );
    expect(rows.map(({ id_hash }) => id_hash)).toEqual(['kept', 'lasting']);
  });
});
