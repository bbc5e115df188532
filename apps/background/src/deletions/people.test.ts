import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Database, newId } from '#libs/database';
import { createLogger } from '#libs/telemetry';
import { testHomes, testRedis, type TestHomes, type TestRedis } from '#libs/testing';
import { Redis } from 'ioredis';
import { Client } from 'pg';
import { DeleteTenant } from './delete-tenant.js';
import { DeletionClock } from './deletion-clock.js';

/** A tenant goes; of its people, some belong to others, in the common database and in one of a tenant's own. */
let homes: TestHomes;
let stored: TestRedis;
let redis: Redis;
let owner: Client;
let database: Database;
let clock: DeletionClock;
const [leaving, beside, apart, late] = [newId(), newId(), newId(), newId()];
const people = {
  alone: newId(),
  before: newId(),
  both: newId(),
  apart: newId(),
  late: newId(),
  stranger: newId(),
  home: newId(),
};
const WHAT_IS_OURS = [
  'accounts',
  'account_tokens',
  'account_totp',
  'recovery_codes',
  'passkeys',
  'oauth_artifacts',
  'mail_outbox',
];

beforeAll(async () => {
  [homes, stored] = await Promise.all([testHomes(), testRedis()]);
  redis = new Redis(stored.redisUrl);
  owner = new Client({ connectionString: homes.common.databaseUrl });
  await owner.connect();
  const options = { ...homes.common, role: 'wharf_life_cycle', poolSize: 2, dedicated: homes.dedicated } as const;
  database = await Database.connect(options);
  const runtime = { evict: async () => undefined };
  const { privateKey: key } = generateKeyPairSync('ed25519');
  const deleting = new DeleteTenant({
    database,
    runtime,
    redis,
    signLog: async () => true,
    key,
    installation: 'https://wharf.example',
  });
  clock = new DeletionClock(database, deleting, createLogger('background', 'silent'));
  for (const id of [leaving, beside, apart, late])
    await owner.query(`insert into tenants (id, slug, name) values ($1, $2, 'T')`, [id, `t-${id}`]);
  for (const [name, id] of Object.entries(people)) await addPerson(id, name === 'home' ? leaving : null);
  for (const id of [people.alone, people.both, people.apart, people.late, people.home]) await addMember(leaving, id);
  await addMember(beside, people.both);
  await addMember(apart, people.apart);
  await owner.query(
    `insert into invitations (tenant_id, id, email, role, groups, token_hash, invited_by, expires_at, accepted_at, accepted_by)
     values ($1, $2, 'before@example.com', 'user', '{}', $3, $4, now(), now(), $5)`,
    [leaving, newId(), randomBytes(32).toString('hex'), people.both, people.before],
  );
  for (const [tenant, person] of [
    [leaving, people.both],
    [beside, people.both],
    [leaving, people.alone],
  ] as const)
    await addGrant(tenant, person);
  await homes.settle(apart);
  await owner.query(
    `insert into tenant_deletions (tenant_id, id, slug, reason, requested_by, due_at, status_before)
     values ($1, $2, 'gone', 'we moved', '{}', now() - interval '1 hour', 'active')`,
    [leaving, newId()],
  );
});

afterAll(async () => {
  await owner?.end();
  await database?.close();
  redis?.disconnect();
  await homes?.drop();
});

/** A person with every second factor, a session, a link and a mail that waits. */
async function addPerson(id: string, homeTenantId: string | null): Promise<void> {
  const email = homeTenantId === null ? `${id}@example.com` : null;
  await owner.query(
    `insert into accounts (id, email, password_hash, email_verified_at, home_tenant_id) values ($1, $2, $3, now(), $4)`,
    [id, email, email && 'x', homeTenantId],
  );
  const hash = () => randomBytes(32).toString('hex');
  const add = (sql: string, ...values: unknown[]) => owner.query(`insert into ${sql}`, [id, ...values]);
  await add(
    `account_tokens (account_id, token_hash, purpose, expires_at) values ($1, $2, 'reset_password', now())`,
    hash(),
  );
  await add(`account_totp (account_id, sealed) values ($1, 'x')`);
  await add(`recovery_codes (account_id, code_hash) values ($1, $2)`, hash());
  await add(
    `passkeys (account_id, credential_id, name, public_key, counter, transports) values ($1, $2, 'k', 'x', 0, '{}')`,
    hash(),
  );
  await add(`oauth_artifacts (account_id, model, id_hash, payload) values ($1, 'Session', $2, '{}')`, hash());
  await add(
    `mail_outbox (account_id, id, sealed, expires_at) values ($1, $2, 'x', now() + interval '1 hour')`,
    newId(),
  );
}

const addMember = (tenantId: string, id: string) =>
  owner.query(`insert into members (tenant_id, account_id, role) values ($1, $2, 'user')`, [tenantId, id]);

async function addGrant(tenantId: string, accountId: string): Promise<void> {
  const id = randomBytes(32).toString('hex');
  await owner.query(
    `insert into grants (tenant_id, id, account_id, client_id, resource, scope, expires_at)
     values ($1, $2, $3, 'c', 'r', 'mcp', now() + interval '1 hour')`,
    [tenantId, id, accountId],
  );
  await owner.query(
    `insert into oauth_artifacts (model, id_hash, payload, grant_id) values ('RefreshToken', $1, '{}', $2), ('Grant', $2, '{}', null)`,
    [randomBytes(32).toString('hex'), id],
  );
}

/** What is left of each person: in how many of the tables above they are. */
async function left(): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const [name, id] of Object.entries(people)) {
    counts[name] = 0;
    for (const table of WHAT_IS_OURS) {
      const key = table === 'accounts' ? 'id' : 'account_id';
      const { rows } = await owner.query(`select from ${table} where ${key} = $1`, [id]);
      counts[name] += rows.length;
    }
  }
  return counts;
}

const all = WHAT_IS_OURS.length;
const countIn = async (table: string, tenantId: string): Promise<number> =>
  (await owner.query(`select from ${table} where tenant_id = $1`, [tenantId])).rows.length;

test('the role that deletes tenants deletes no person before their tenant’s time, nor one of another’s provider', async () => {
  const drop = (tenantId: string, id: string) =>
    database.asTenant(tenantId, (tx) => tx.query(`delete from accounts where id = $1`, [id]));
  await expect(drop(leaving, people.stranger)).rejects.toThrow('only people of the tenant alone');
  await expect(drop(beside, people.home)).rejects.toThrow('only people of the tenant alone');
  for (const table of ['mail_outbox', 'oauth_artifacts'])
    await expect(
      database.asTenant(leaving, (tx) => tx.query(`delete from ${table} where account_id = $1`, [people.stranger])),
    ).rejects.toThrow(/only/);
});

test('who is killed while people go leaves each with the row that names them', async () => {
  await owner.query(`
    create function killed() returns trigger language plpgsql as $$ begin raise exception 'killed'; end $$;
    create trigger killed before delete on accounts for each row when (old.id = '${people.alone}') execute function killed()`);
  expect(await clock.sweep()).toBe(0);
  expect(await left()).toMatchObject({ alone: all, both: all, apart: all });
  expect(await countIn('members', leaving)).toBe(5);
  await owner.query(`drop trigger killed on accounts; drop function killed`);
});

test('no transaction is open while a database of tenants’ own is asked, and who goes there meanwhile is asked for again', async () => {
  const ask = database.asServiceAt.bind(database);
  const held: boolean[] = [];
  let gone = 0;
  database.asServiceAt = async (home, work) => {
    const free = await owner.query(`select from tenant_deletions where tenant_id = $1 for update skip locked`, [
      leaving,
    ]);
    held.push(free.rows.length === 0);
    const result = await ask(home, work);
    // Between the answer and the deletion a tenant arrives there that knows somebody.
    if (home !== undefined && gone === 0) {
      gone += 1;
      await addMember(late, people.late);
      await homes.settle(late);
    }
    return result;
  };
  expect(await clock.sweep()).toBe(1);
  database.asServiceAt = ask;
  expect([gone, held.length > 1, held.includes(true)]).toEqual([1, true, false]);
});

test('people of a tenant alone go with it, and who belongs to another stays with all that signs them in', async () => {
  expect(await left()).toEqual({ alone: 0, before: 0, both: all, apart: all, late: all, stranger: all, home: 0 });
  const { rows: artifacts } = await owner.query(
    `select model, count(*)::int as n from oauth_artifacts group by 1 order by 1`,
  );
  expect(artifacts).toEqual([
    { model: 'Grant', n: 1 },
    { model: 'RefreshToken', n: 1 },
    { model: 'Session', n: 4 },
  ]);
  expect([await countIn('members', beside), await countIn('grants', beside)]).toEqual([1, 1]);
  const { rows } = await owner.query(`select counts from tenant_deletions where tenant_id = $1`, [leaving]);
  expect(rows[0].counts).toMatchObject({ accounts: 3, members: 5, grants: 2, oauth_artifacts: 4 });
});

test('no row of a tenant goes, or forgets, with a person it names', async () => {
  const { rows } = await owner.query(`
    select k.conname from pg_constraint k join pg_class c on c.oid = k.conrelid
    where k.contype = 'f' and k.confrelid = 'accounts'::regclass and c.relrowsecurity and k.confdeltype <> 'a'`);
  expect(rows).toEqual([]);
});
