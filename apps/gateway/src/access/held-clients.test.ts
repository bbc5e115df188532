import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mintClientId } from '#libs/identity';
import type { TenantUnderTest } from '../gateway.fixture.js';
import { list, openHolding, openStream, untilRefused, type Holding } from './held.fixture.js';

/**
 * What is taken away stops. Within 5 s, is the promise: `fresh-cache.test.ts` holds the 2 s for which a gateway that hears
 * nothing remembers a credential, and `stream-watch.test.ts` the 2 s after which a stream's is looked at again.
 */

let holding: Holding;
let gateway: Holding['gateway'];
let owner: Holding['owner'];
let acme: TenantUnderTest;
let globex: TenantUnderTest;

beforeAll(async () => {
  holding = await openHolding();
  ({ gateway, owner, acme, globex } = holding);
});
afterAll(() => holding.stop());

/** A machine client as the management API registers it, and a token of it. */
async function hold(tenant: TenantUnderTest): Promise<{ id: string; token: string }> {
  const id = mintClientId(tenant.id);
  await owner.query(
    `insert into clients (tenant_id, id, kind, name, auth_method, redirect_uris, scopes, secret_hash)
     values ($1, $2, 'machine', 'Agent', 'client_secret_basic', '{}', '{mcp}', repeat('0', 64))`,
    [tenant.id, id],
  );
  return { id, token: await gateway.token(tenant, tenant.url, { sub: id, client_id: id }) };
}

describe('a token of a machine client', () => {
  test('calls as the client itself, and the log says so', async () => {
    const { id, token } = await hold(acme);
    expect((await list(acme, token)).status).toBe(200);
    const record = await gateway.audited(acme, ({ actor, event }) => event === 'call.completed' && actor['id'] === id);
    expect(record.actor).toEqual({ kind: 'client', id });
  });

  test.each([
    ['disabled', `update clients set enabled = false where id = $1`],
    ['deleted', `delete from clients where id = $1`],
  ])('is refused when the client is %s, though it was verified before', async (_, sql) => {
    const [ended, kept] = [await hold(acme), await hold(acme)];
    expect([(await list(acme, ended.token)).status, (await list(acme, kept.token)).status]).toEqual([200, 200]);
    await owner.query(sql, [ended.id]);
    const refused = await untilRefused(acme, ended.token);
    expect([refused.status, refused.headers['www-authenticate']]).toEqual([
      401,
      expect.stringContaining('error="invalid_token"'),
    ]);
    expect((await list(acme, kept.token)).status).toBe(200);
  });

  test('is refused where the client never was or is another tenant’s', async () => {
    const foreign = await hold(globex);
    for (const id of [foreign.id, mintClientId(acme.id)]) {
      const token = await gateway.token(acme, acme.url, { sub: id, client_id: id });
      expect((await list(acme, token)).status).toBe(401);
    }
    expect((await list(acme, foreign.token)).status).toBe(401);
  });

  test('stops an open stream when the client is deleted', async () => {
    const { id, token } = await hold(acme);
    const readToEnd = await openStream(acme, token);
    await owner.query(`delete from clients where id = $1`, [id]);
    await readToEnd();
    expect((await list(acme, token)).status).toBe(401);
  });

  test('of a person’s client is refused when that client is deleted', async () => {
    const { id } = await hold(acme);
    const token = await gateway.token(acme, acme.url, { client_id: id });
    expect((await list(acme, token)).status).toBe(200);
    await owner.query(`delete from clients where id = $1`, [id]);
    expect((await untilRefused(acme, token)).status).toBe(401);
  });
});
