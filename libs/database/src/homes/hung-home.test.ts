import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { Secret } from '#libs/config';
import { Database, newId, type Transaction } from '#libs/database';
import { testHomes, wayTo, type TestHomes, type Way } from '#libs/testing';
import { Client } from 'pg';

/** A tenant's own database takes what it is asked and answers nothing; the service has one connection to each. */
let homes: TestHomes;
let way: Way;
let database: Database;
const tenantId = newId();
const operatorId = newId();

beforeAll(async () => {
  homes = await testHomes();
  const owner = new Client({ connectionString: homes.common.databaseUrl });
  await owner.connect();
  await owner.query(`insert into tenants (id, slug, name) values ($1, 'hung', 'Hung')`, [tenantId]);
  await owner.query(`insert into operators (id, name, key_hash) values ($1, 'o', 'h')`, [operatorId]);
  await owner.end();
  await homes.settle(tenantId);
});
afterAll(() => homes?.drop());

beforeEach(async () => {
  way = await wayTo(homes.own.databaseUrl);
  database = await Database.connect({
    ...homes.common,
    role: 'wharf_operator',
    poolSize: 1,
    dedicated: { databases: new Map([['own', new Secret(way.url)]]), poolsMax: 1 },
  });
});
afterEach(async () => {
  await way.stop();
  await database.close();
});

test.each([
  ['work with shared rows beside a tenant’s', () => database.asTenantWithShared(tenantId, async () => undefined)],
  ['showing a tenant’s row', () => database.showTenant(tenantId)],
  [
    'an operator’s act',
    () =>
      database.asOperator({ operatorId, action: 'tenants.show', reason: 'a test', tenantId }, async () => undefined),
  ],
])('%s holds no connection to the common database while the tenant’s own hangs', async (_name, act) => {
  await act();
  way.loseFarEnds();
  const hung = act();
  const others = Promise.all(Array.from({ length: 3 }, () => database.asService((tx) => tx.query(`select 1 as one`))));
  // Neither is waited for alone: what hangs is cut off as soon as the others were served, or were not.
  const [served] = await Promise.all([
    others.finally(() => way.stop()),
    expect(hung).rejects.toMatchObject({ code: 'unavailable' }),
  ]);
  expect(served).toEqual([[{ one: 1 }], [{ one: 1 }], [{ one: 1 }]]);
});

test.each([
  ['in the middle', async (tx: Transaction) => void (await tx.query(`select 1`))],
  ['at its commit', async () => undefined],
])(
  'a database that hangs %s of what it does beside shared rows leaves the other tenants half of the common one',
  async (_when, rest) => {
    const { common } = homes;
    const dedicated = { databases: new Map([['own', new Secret(way.url)]]), poolsMax: 1 };
    const several = await Database.connect({ ...common, role: 'wharf_operator', poolSize: 2, dedicated });
    const hang = () => {
      const begun = Promise.withResolvers<void>();
      const ended = several.asTenantWithShared(tenantId, (tx) => {
        way.loseFarEnds();
        begun.resolve();
        return rest(tx);
      });
      return { begun: begun.promise, refused: expect(ended).rejects.toMatchObject({ code: 'unavailable' }) };
    };
    const first = hang();
    await first.begun;
    const second = hang();
    const copied = expect(several.showTenant(tenantId)).rejects.toMatchObject({ code: 'unavailable' });
    await Promise.race([second.begun, second.refused]);
    const served = several.asService((tx) => tx.query(`select 1 as one`)).finally(() => way.stop());
    await Promise.all([first.refused, second.refused, copied]);
    expect(await served).toEqual([{ one: 1 }]);
    await several.close();
  },
);
