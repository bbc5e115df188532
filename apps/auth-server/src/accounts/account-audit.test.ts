import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Secret } from '#libs/config';
import { Database, newId } from '#libs/database';
import { testHomes, until, wayTo, type TestHomes } from '#libs/testing';
import { Client } from 'pg';
import { AccountAudit } from './account-audit.js';

/** A person works for three tenants: one in the common database, one in one of its own, and one that is another's. */
const [here, there, foreign] = [newId(), newId(), newId()];
const account = newId();
let homes: TestHomes;
let owner: Client;
let ownOwner: Client;
let whole: Database;
let cutOff: Database;

beforeAll(async () => {
  homes = await testHomes();
  owner = new Client({ connectionString: homes.common.databaseUrl });
  ownOwner = new Client({ connectionString: homes.own.databaseUrl });
  await Promise.all([owner.connect(), ownOwner.connect()]);
  await owner.query(`insert into accounts (id, email, password_hash) values ($1, 'a@example.com', 'x')`, [account]);
  for (const id of [here, there, foreign])
    await owner.query(`insert into tenants (id, slug, name) values ($1, $2, 'T')`, [id, `t-${id}`]);
  for (const id of [here, there])
    await owner.query(`insert into members (tenant_id, account_id, role) values ($1, $2, 'owner')`, [id, account]);
  await homes.settle(there);
  const options = { ...homes.common, role: 'wharf_auth', poolSize: 2 } as const;
  const gone = new URL(homes.own.databaseUrl);
  gone.pathname = '/gone';
  const nowhere = { databases: new Map([['own', new Secret(gone.toString())]]), poolsMax: 1 };
  whole = await Database.connect({ ...options, dedicated: homes.dedicated });
  cutOff = await Database.connect({ ...options, dedicated: nowhere });
});

afterAll(async () => {
  await Promise.all([whole?.close(), cutOff?.close(), owner?.end(), ownOwner?.end()]);
  await homes?.drop();
});

const enrolled = { event: 'second_factor.enrolled', outcome: 'ok', details: { factor: 'app' } } as const;
const logOf = async (client: Client, id: string) =>
  (
    await client.query(
      `select event, actor ->> 'id' as actor, details, source_address from audit_records where tenant_id = $1`,
      [id],
    )
  ).rows;
const kept = async () => (await owner.query(`select told from account_events`)).rows;
const ENTRY = {
  event: 'second_factor.enrolled',
  actor: account,
  details: { factor: 'app' },
  source_address: '192.0.2.1',
};
const left: unknown[] = [];
const audit = (database: Database) => new AccountAudit(database, (_event, trouble) => void left.push(trouble));
const tellKept = async (database: Database) => {
  await owner.query(`update account_events set due_at = now()`);
  return audit(database).tellKept(10);
};

test('what happens to an account is in the log of each of its tenants, wherever it is, and kept nowhere else', async () => {
  await audit(whole).record(account, '192.0.2.1', enrolled);
  expect(await logOf(owner, here)).toEqual([ENTRY]);
  expect(await logOf(ownOwner, there)).toEqual([ENTRY]);
  expect([await logOf(owner, foreign), await logOf(ownOwner, foreign), await kept()]).toEqual([[], [], []]);
});

test('while a tenant’s database is away its entry is kept, and is there once when it is back', async () => {
  await audit(cutOff).record(account, '192.0.2.1', enrolled);
  expect(await logOf(owner, here)).toHaveLength(2);
  expect(await kept()).toEqual([{ told: [here] }]);
  expect([await tellKept(cutOff), left.length]).toEqual([0, 2]);
  expect(await logOf(ownOwner, there)).toHaveLength(1);
  // Who joins in between is told nothing of what was before.
  await owner.query(`insert into members (tenant_id, account_id, role) values ($1, $2, 'user')`, [foreign, account]);
  expect(await tellKept(whole)).toBe(1);
  expect(await logOf(ownOwner, there)).toEqual([ENTRY, ENTRY]);
  expect(await logOf(owner, here)).toHaveLength(2);
  expect([await logOf(owner, foreign), await kept()]).toEqual([[], []]);
});

test('an entry is kept while a tenant is on its way between two databases', async () => {
  for (const client of [owner, ownOwner])
    await client.query(`update tenant_homes set state = 'returning' where tenant_id = $1`, [there]);
  await audit(whole).record(account, '192.0.2.1', enrolled);
  expect((await kept()).map(({ told }) => told.includes(there))).toEqual([false]);
  for (const client of [owner, ownOwner])
    await client.query(`update tenant_homes set state = 'dedicated' where tenant_id = $1`, [there]);
  await until(async () => (await tellKept(whole)) === 1, 'the tenant to be open again');
  expect(await logOf(ownOwner, there)).toHaveLength(3);
});

test('an entry waits for a log that is away also once its account is forgotten, and is kept nowhere afterwards', async () => {
  const person = newId();
  for (const client of [owner, ownOwner])
    await client.query(`insert into accounts (id, email, password_hash) values ($1, 'leaver@example.com', 'x')`, [
      person,
    ]);
  await ownOwner.query(`insert into members (tenant_id, account_id, role) values ($1, $2, 'user')`, [there, person]);
  await audit(cutOff).record(person, '192.0.2.1', enrolled);
  await ownOwner.query(`delete from members where tenant_id = $1 and account_id = $2`, [there, person]);
  for (const client of [ownOwner, owner]) await client.query(`delete from accounts where id = $1`, [person]);
  expect(await kept()).toHaveLength(1);
  expect(await tellKept(whole)).toBe(1);
  expect((await logOf(ownOwner, there)).at(-1)).toEqual({ ...ENTRY, actor: person });
  expect(await kept()).toEqual([]);
});

test('the service reads no membership, present or past, but those of the person whom it names', async () => {
  const rows = await whole.asService(async (tx) => {
    await tx.query(`select set_config('app.account_id', $1, true)`, [newId()]);
    return tx.query<unknown[]>(`select tenant_id from members union all select tenant_id from past_members`);
  });
  expect(rows).toEqual([]);
});

test('each of more tenants than are read at once has the entry', async () => {
  const person = newId();
  const many = Array.from({ length: 101 }, newId);
  await owner.query(`insert into accounts (id, email, password_hash) values ($1, 'many@example.com', 'x')`, [person]);
  await owner.query(`insert into tenants (id, slug, name) select id, 't-' || id, 'T' from unnest($1::uuid[]) id`, [
    many,
  ]);
  await owner.query(
    `insert into members (tenant_id, account_id, role) select id, $2, 'user' from unnest($1::uuid[]) id`,
    [many, person],
  );
  await audit(whole).record(person, '192.0.2.1', enrolled);
  await until(async () => (await kept()).length === 0, 'the entry to be in every log');
  const { rows } = await owner.query(`select distinct tenant_id from audit_records where tenant_id = any($1)`, [many]);
  expect(rows).toHaveLength(101);
});

test('an entry that cannot be brought to a log, or noted, fails nobody, and is heard of', async () => {
  const before = left.length;
  const event = await whole.asService((tx) => audit(whole).keep(tx, account, '192.0.2.1', enrolled));
  await audit(cutOff).tellSoon({ ...event, id: 'no id at all' });
  expect(left.length).toBeGreaterThan(before);
  expect(await tellKept(whole)).toBe(1);
});

test('nobody waits for a database that hangs, and what waits for long is tried less often', async () => {
  const way = await wayTo(homes.own.databaseUrl);
  const dedicated = { databases: new Map([['own', new Secret(way.url)]]), poolsMax: 1 };
  const hung = await Database.connect({ ...homes.common, role: 'wharf_auth', poolSize: 2, dedicated });
  await hung.asServiceAt('own', (tx) => tx.query(`select 1`));
  way.loseFarEnds();
  const before = left.length;
  await audit(hung).record(account, '192.0.2.1', enrolled);
  // Over for the person before the database was given up.
  expect([left.length, (await kept()).length]).toEqual([before, 1]);
  await way.stop();
  await until(() => left.length > before, 'the database to be given up');
  await owner.query(`update account_events set at = now() - interval '20 minutes', due_at = now()`);
  await audit(hung).tellKept(10);
  const { rows } = await owner.query(`select due_at > now() + interval '15 minutes' as later from account_events`);
  expect(rows).toEqual([{ later: true }]);
  await hung.close();
});

test.each([
  ['by the management API', 'wharf_control'],
  ['by their provider', 'wharf_auth'],
] as const)('who is removed from a tenant %s before it is reached takes nothing out of its log', async (_by, role) => {
  await tellKept(whole);
  const person = newId();
  const noted = async () =>
    (await ownOwner.query(`select event from audit_records where target = $1`, [`account:${person}`])).rows;
  for (const client of [owner, ownOwner])
    await client.query(`insert into accounts (id, email, password_hash) values ($1, $2, 'x')`, [
      person,
      `${person}@example.com`,
    ]);
  await ownOwner.query(`insert into members (tenant_id, account_id, role) values ($1, $2, 'user')`, [there, person]);
  await audit(cutOff).record(person, '192.0.2.1', enrolled);
  const remover = await Database.connect({ ...homes.common, role, poolSize: 1, dedicated: homes.dedicated });
  await remover.asTenant(there, (tx) =>
    tx.query(`delete from members where tenant_id = $1 and account_id = $2`, [there, person]),
  );
  await remover.close();
  expect([await noted(), await tellKept(whole)]).toEqual([[], 1]);
  expect(await noted()).toEqual([{ event: 'second_factor.enrolled' }]);
  // What happens to them once they have left is no business of the tenant's.
  await audit(whole).record(person, '192.0.2.1', enrolled);
  expect([await noted(), await kept()]).toEqual([[{ event: 'second_factor.enrolled' }], []]);
});
