import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newId } from '#libs/database';
import { MoveTenant } from './move-tenant.js';
import { openTwoDatabases, OWN, type TwoDatabases } from './two-databases.fixture.js';

/** Two tenants in one database of their own, of one person whose account is lost meanwhile, and address another's. */
let two: TwoDatabases;
let moving: MoveTenant;
const [lost, another] = [newId(), newId()];
const signal = () => AbortSignal.timeout(120_000);

beforeAll(async () => {
  two = await openTwoDatabases();
  moving = new MoveTenant({ ...two.common, dedicated: two.dedicated });
});
afterAll(() => two?.close());

async function move(tenantId: string, to: string | null, from: string | null): Promise<string> {
  const id = await two.askMove(to, from);
  await two.here.query(`update tenant_moves set tenant_id = $2 where id = $1`, [id, tenantId]);
  expect(await moving.advance(id, signal())).toBe('done');
  return id;
}

test('whose account is lost belongs to none of their tenants more than to another', async () => {
  const { here, a, b } = two;
  const account = `insert into accounts (id, email, password_hash) values ($1, 'x@example.com', 'hash')`;
  await here.query(account, [lost]);
  for (const id of [a, b]) {
    await here.query(`insert into members (tenant_id, account_id, role) values ($1, $2, 'user')`, [id, lost]);
    await move(id, OWN, null);
  }
  await here.query(`delete from accounts where id = $1`, [lost]);
  await here.query(account, [another]);
  for (const id of [a, b]) {
    const back = await move(id, null, OWN);
    const { rows } = await here.query(`select details -> 'unaddressed' as named from audit_records where id = $1`, [
      back,
    ]);
    expect(rows).toEqual([{ named: [lost] }]);
  }
  const { rows } = await here.query(`update members set role = 'owner' where account_id = $1 returning tenant_id`, [
    lost,
  ]);
  expect(rows.map(({ tenant_id: id }) => id).sort()).toEqual([a, b].sort());
  // And the same way again, with the address that is nobody's.
  await move(a, OWN, null);
  await move(a, null, OWN);
  const { rows: accounts } = await here.query(`select email, home_tenant_id from accounts where id = $1`, [lost]);
  expect(accounts).toEqual([{ email: `${lost}@lost.invalid`, home_tenant_id: null }]);
});
