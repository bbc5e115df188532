import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { Secret } from '#libs/config';
import { Database, newId, OPERATORS_COPIES, SharedCopies, unlessAway, type Transaction } from '#libs/database';
import { testHomes, until, type TestHomes } from '#libs/testing';

let homes: TestHomes;
let control: Database;
let owner: Client;
let ownOwner: Client;

beforeAll(async () => {
  homes = await testHomes();
  control = await Database.connect({ ...homes.common, role: 'wharf_control', dedicated: homes.dedicated });
  owner = new Client({ connectionString: homes.common.databaseUrl });
  ownOwner = new Client({ connectionString: homes.own.databaseUrl });
  await Promise.all([owner.connect(), ownOwner.connect()]);
});
afterAll(async () => {
  await control?.close();
  await owner?.end();
  await ownOwner?.end();
  await homes?.drop();
});

async function newTenant(): Promise<string> {
  const id = newId();
  await control.asTenant(id, (tx) =>
    tx.query(`insert into tenants (id, slug, name) values ($1, $2, 'T')`, [id, `t-${id}`]),
  );
  return id;
}

const addServer = (id: string, slug: string, database = control): Promise<unknown> =>
  database.asTenant(id, (tx) =>
    tx.query(`insert into servers (tenant_id, id, slug, name) values ($1, $2, $3, 'S')`, [id, newId(), slug]),
  );
const serversOf = async (client: Client, id: string): Promise<string[]> =>
  (await client.query<{ slug: string }>(`select slug from servers where tenant_id = $1 order by 1`, [id])).rows.map(
    ({ slug }) => slug,
  );

test('a tenant’s rows are where it is at home, also by a door that remembers another home', async () => {
  const [mine, other] = [await newTenant(), await newTenant()];
  await addServer(mine, 'before');
  await homes.settle(mine);
  await addServer(mine, 'after');
  await addServer(other, 'beside');
  expect(await serversOf(owner, mine)).toEqual([]);
  expect(await serversOf(ownOwner, mine)).toEqual(['after', 'before']);
  expect(await serversOf(ownOwner, other)).toEqual([]);
  expect(await serversOf(owner, other)).toEqual(['beside']);
});

test('a tenant sees no row of another one at home in the same database', async () => {
  const [mine, other] = [await newTenant(), await newTenant()];
  for (const id of [mine, other]) await homes.settle(id);
  for (const id of [mine, other]) await addServer(id, `of-${id.slice(-6)}`);
  const seen = await control.asTenant(mine, (tx) => tx.query<unknown[]>(`select tenant_id from servers`));
  expect(seen).toEqual([{ tenant_id: mine }]);
  const write = control.asTenant(mine, (tx) =>
    tx.query(`insert into servers (tenant_id, id, slug, name) values ($1, $2, 'stolen', 'S')`, [other, newId()]),
  );
  await expect(write).rejects.toThrow(/row-level security/);
});

test('neither database lets a tenant in that is not at home there, whatever a service remembers', async () => {
  const [mine, other] = [await newTenant(), await newTenant()];
  await homes.settle(mine);
  const enter = (client: Client, id: string): Promise<unknown> => client.query(`select app_enter_tenant($1)`, [id]);
  const refused = { code: 'WH001' };
  await expect(enter(owner, mine)).rejects.toMatchObject(refused);
  await expect(enter(ownOwner, other)).rejects.toMatchObject(refused);
  await ownOwner.query(`update tenant_homes set database = 'another' where tenant_id = $1`, [mine]);
  await expect(enter(ownOwner, mine)).rejects.toMatchObject(refused);
});

test.each(['leaving', 'returning'])(
  'a tenant that is %s is told to come again, and comes in once it has arrived',
  async (state) => {
    const mine = await newTenant();
    await homes.settle(mine);
    await addServer(mine, 'first');
    await owner.query(`update tenant_homes set state = $2 where tenant_id = $1`, [mine, state]);
    await ownOwner.query(`update tenant_homes set state = $2 where tenant_id = $1`, [mine, state]);
    const refusal = addServer(mine, 'second');
    await expect(refusal).rejects.toMatchObject({ code: 'unavailable', status: 503, retryAfterSeconds: 5 });
    for (const client of [owner, ownOwner])
      await client.query(`update tenant_homes set state = 'dedicated' where tenant_id = $1`, [mine]);
    await until(() =>
      addServer(mine, 'second').then(
        () => true,
        () => false,
      ),
    );
    expect(await serversOf(ownOwner, mine)).toEqual(['first', 'second']);
  },
);

test('who takes the lock alone has waited for every transaction that entered before', async () => {
  const mine = await newTenant();
  const mover = new Client({ connectionString: homes.common.databaseUrl });
  await mover.connect();
  const began: string[] = [];
  const working = control.asTenant(mine, async (tx) => {
    await owner.query(`insert into tenant_homes values ($1, 'own', 'leaving')`, [mine]);
    const locked = mover
      .query(`select pg_advisory_xact_lock(hashtextextended($1, 0))`, [mine])
      .then(() => began.push('moved'));
    await tx.query(`insert into servers (tenant_id, id, slug, name) values ($1, $2, 'last', 'S')`, [mine, newId()]);
    began.push('written');
    return { locked };
  });
  await (
    await working
  ).locked;
  expect(began).toEqual(['written', 'moved']);
  await expect(addServer(mine, 'late')).rejects.toMatchObject({ code: 'unavailable' });
  expect(await serversOf(owner, mine)).toEqual(['last']);
  await mover.end();
});

test('a sweep looks in every database in use, and goes without one that is away', async () => {
  const mine = await newTenant();
  await homes.settle(mine);
  const away: string[] = [];
  const gone = new URL(homes.own.databaseUrl);
  gone.pathname = '/gone';
  const options = { ...homes.common, role: 'wharf_control', onAway: (name: string) => away.push(name) } as const;
  const broken = await Database.connect({
    ...options,
    dedicated: { databases: new Map([['own', new Secret(gone.toString())]]), poolsMax: 1 },
  });
  const whole = await Database.connect({ ...options, dedicated: homes.dedicated });
  const nameOf = async (tx: Transaction): Promise<string | null> => {
    const [row]: Array<{ database: string | null }> = await tx.query(`select database from installation`);
    return row?.database ?? null;
  };
  expect(await whole.everywhere(nameOf)).toEqual([null, 'own']);
  expect(away).toEqual([]);
  const failing = (tx: Transaction) => tx.query(`select 1 / (database is null)::int as one from installation`);
  expect([await whole.everywhere(failing), away.splice(0)]).toEqual([[[{ one: 1 }]], ['own']]);
  expect(await broken.everywhere(nameOf)).toEqual([null]);
  expect(away).toEqual(['own']);
  await expect(addServer(mine, 'none', broken)).rejects.toMatchObject({ code: 'unavailable', retryAfterSeconds: 5 });
  expect(await unlessAway(addServer(mine, 'none', broken))).toBeUndefined();
  await Promise.all([broken.close(), whole.close()]);
});

test('a service that is not told of a database refuses its tenants alone', async () => {
  const mine = await newTenant();
  await homes.settle(mine);
  const untold = await Database.connect({ ...homes.common, role: 'wharf_control' });
  await expect(addServer(mine, 'none', untold)).rejects.toMatchObject({ code: 'unavailable' });
  await addServer(await newTenant(), 'some', untold);
  await untold.close();
});

test('a pool that rests is closed, and another one opened in its place', async () => {
  const mine = await newTenant();
  await homes.settle(mine);
  const brief = await Database.connect({
    ...homes.common,
    role: 'wharf_control',
    applicationName: 'brief',
    dedicated: { ...homes.dedicated, poolsMax: 1, idleMs: 20 },
  });
  const open = `select from pg_stat_activity where application_name = 'brief' and datname = current_database()`;
  const connections = async (): Promise<number> => (await ownOwner.query(open)).rowCount ?? 0;
  await addServer(mine, 'one', brief);
  await until(async () => (await connections()) === 0);
  await addServer(mine, 'two', brief);
  expect(await serversOf(ownOwner, mine)).toEqual(['one', 'two']);
  await brief.close();
  await until(async () => (await connections()) === 0);
});

test('changes are heard from a database that comes into use', async () => {
  const mine = await newTenant();
  const heard = new Set<string>();
  const listener = await control.listen('wharf_changes', (payload) => heard.add(payload));
  await homes.settle(mine);
  await until(() => heard.has(mine));
  await until(async () => {
    heard.delete(mine);
    await ownOwner.query(`update tenants set name = name where id = $1`, [mine]);
    return heard.has(mine);
  });
  expect(listener.connected).toBe(true);
  await listener.close();
});

test('an operator’s act upon a tenant is done at its home, written in the common log, and shown by its row there', async () => {
  const mine = await newTenant();
  await homes.settle(mine);
  const operators = await Database.connect({ ...homes.common, role: 'wharf_operator', dedicated: homes.dedicated });
  const operatorId = newId();
  await owner.query(`insert into operators (id, name, key_hash) values ($1, 'o', $2)`, [operatorId, newId()]);
  const act = { operatorId, action: 'tenants.suspend', reason: 'a test', tenantId: mine };
  await operators.asOperator(act, (tx) => tx.query(`update tenants set status = 'suspended' where id = $1`, [mine]));
  await expect(operators.asOperator(act, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  for (const client of [owner, ownOwner])
    expect((await client.query(`select status, name from tenants where id = $1`, [mine])).rows).toEqual([
      { status: 'suspended', name: 'T' },
    ]);
  const acts = `select action from operator_actions where tenant_id = $1`;
  expect((await owner.query(acts, [mine])).rows).toEqual([{ action: 'tenants.suspend' }]);
  expect((await ownOwner.query(acts, [mine])).rows).toEqual([]);
  await operators.close();
});

test('what is done beside a tenant’s rows to shared ones is done in the common database', async () => {
  const [mine, other] = [await newTenant(), await newTenant()];
  await homes.settle(mine);
  for (const id of [mine, other]) {
    const names = await control.asTenantWithShared(id, async (tx, shared) => {
      const ask = async (on: Transaction): Promise<unknown> => (await on.query(`select database from installation`))[0];
      return [await ask(tx), await ask(shared)];
    });
    expect(names).toEqual([{ database: id === mine ? 'own' : null }, { database: null }]);
  }
});

test('copies of shared rows follow them, and say nothing that signs anybody in', async () => {
  const mine = await newTenant();
  await homes.settle(mine);
  const operators = await Database.connect({ ...homes.common, role: 'wharf_operator', dedicated: homes.dedicated });
  const failed: unknown[] = [];
  const copies = new SharedCopies(operators, OPERATORS_COPIES, (error) => failed.push(error));
  const operatorId = newId();
  await owner.query(`insert into operators (id, name, key_hash) values ($1, 'copied', $2)`, [operatorId, newId()]);
  await owner.query(`insert into feature_flags (flag, percent) values ('knowledge', 10)`);
  await owner.query(`insert into maintenance (mode, message, reason, until) values ('everything', 'm', 'r', now())`);
  await copies.copy();
  await owner.query(`update plans set servers_max = 77 where name = 'team'; delete from maintenance`);
  await copies.copy();
  const asked = async (sql: string): Promise<unknown[]> => (await ownOwner.query(sql)).rows;
  expect(failed).toEqual([]);
  expect(await asked(`select servers_max as max from plans where name in ('team', 'free') order by 1`)).toEqual([
    { max: 10 },
    { max: 77 },
  ]);
  expect(await asked(`select flag, percent from feature_flags`)).toEqual([{ flag: 'knowledge', percent: 10 }]);
  expect(await asked(`select from maintenance`)).toEqual([]);
  expect(await asked(`select name, key_hash from operators where name = 'copied'`)).toEqual([
    { name: 'copied', key_hash: null },
  ]);
  await operators.close();
});
