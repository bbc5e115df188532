import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Database } from '#libs/database';
import { decodeJwt } from 'jose';
import { AuthWorld, type Answered, type TestClient } from '../testing/auth-world.fixture.js';
import { HeldRows } from '../testing/held-rows.fixture.js';
import { endMembership } from './end-membership.js';

let world: AuthWorld;
let database: Database;
let acme: string;
let mcp: string;
let client: TestClient;

beforeAll(async () => {
  world = await AuthWorld.open();
  database = await Database.connect({ ...world.store, role: 'wharf_auth' });
  acme = await world.addTenant('acme', 'Acme');
  mcp = `${world.url}/t/acme/mcp`;
  client = await world.register();
});
afterAll(async () => {
  await database.close();
  await world.close();
});

/** A new member of the tenant who has let the client in, and the code that it got. */
async function coded(name: string): Promise<{ id: string; code: string | null }> {
  const email = `${name}@acme.test`;
  const id = await world.addPerson(email, { [acme]: 'user' });
  return { id, code: (await world.authorize(client, mcp, email)).searchParams.get('code') };
}

/** Whether a token that was given is of a grant that is held. */
async function isHeld({ status, body }: Answered): Promise<boolean> {
  expect(status).toBe(200);
  const { gid } = decodeJwt(String(body['access_token']));
  const { rows } = await world.owner.query<{ held: boolean }>(
    `select revoked_at is null as held from grants where id = $1`,
    [gid],
  );
  expect(rows).toHaveLength(1);
  return rows[0]?.held === true;
}

// A new row of grants waits for its person's account and cannot be seen meanwhile.
const ACCOUNT = `select from accounts where id = $1 for update`;

describe('a grant whose first token is written down at this moment', () => {
  test('is revoked when its code is used again, many times at once (O-07, O-11)', async () => {
    const { id, code } = await coded('ana');
    const held = await HeldRows.hold(world, ACCOUNT, [id]);
    const first = world.redeem(client, code, mcp);
    await held.untilAwaitedBy(1);
    const others = Promise.all(Array.from({ length: 20 }, () => world.redeem(client, code, mcp)));
    await Promise.race([held.untilAwaitedBy(2), others]);
    await held.release();
    expect((await others).map(({ status }) => status)).toEqual(Array(20).fill(400));
    expect(await isHeld(await first)).toBe(false);
  });

  test('is revoked with the rest when its person stops being a member', async () => {
    const { id, code } = await coded('bob');
    const held = await HeldRows.hold(world, ACCOUNT, [id]);
    const first = world.redeem(client, code, mcp);
    await held.untilAwaitedBy(1);
    const ended = database.asTenant(acme, (tx) => endMembership(tx, tx, { tenantId: acme, accountId: id }));
    await Promise.race([held.untilAwaitedBy(2), ended]);
    await held.release();
    expect([await ended, await isHeld(await first)]).toEqual([1, false]);
  });
});

describe('a grant whose first token is about to be written down', () => {
  test('is revoked from the start when its code is used again (O-07)', async () => {
    const { id, code } = await coded('cyd');
    const rows = `select from accounts a join members m on m.account_id = a.id where a.id = $1 for update`;
    const held = await HeldRows.hold(world, rows, [id]);
    const first = world.redeem(client, code, mcp);
    await held.untilAwaitedBy(1);
    const again = await world.redeem(client, code, mcp);
    await held.release();
    expect([again.status, again.body['error']]).toEqual([400, 'invalid_grant']);
    const given = await first;
    expect(await isHeld(given)).toBe(false);
    expect((await world.refresh(client, given.body['refresh_token'], mcp)).status).toBe(400);
  });

  test('gives none when its person stops being a member', async () => {
    const { id, code } = await coded('dan');
    const gone = await HeldRows.hold(world, `delete from members where account_id = $1`, [id]);
    const first = world.redeem(client, code, mcp);
    await Promise.race([gone.untilAwaitedBy(1), first]);
    await gone.release();
    const { status, body } = await first;
    expect([status, body['error']]).toEqual([400, 'invalid_grant']);
  });
});
