import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { newId } from '#libs/database';
import { until } from '#libs/testing';
import type { TenantUnderTest } from '../gateway.fixture.js';
import { list, openHolding, openStream, untilRefused, type Holding } from './held.fixture.js';
import { INITIALIZE, legacy, send } from '../requests.fixture.js';

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

/** A grant as the authorization server notes it, and a token of it. */
async function hold(
  tenant: TenantUnderTest,
  claims: Record<string, unknown> = {},
): Promise<{ id: string; token: string }> {
  const account = newId();
  const id = createHash('sha256').update(account).digest('hex');
  await owner.query(`insert into accounts (id, email, password_hash) values ($1, $2, 'x')`, [
    account,
    `${account}@example.com`,
  ]);
  await owner.query(
    `insert into grants (tenant_id, id, account_id, client_id, resource, scope, expires_at)
     values ($1, $2, $3, 'client', $4, 'mcp', now() + interval '1 hour')`,
    [tenant.id, id, account, tenant.url],
  );
  return { id, token: await gateway.token(tenant, tenant.url, { gid: id, sub: account, ...claims }) };
}

function revoke(id: string): Promise<unknown> {
  return owner.query(`update grants set revoked_at = now() where id = $1`, [id]);
}

describe('a token of a grant', () => {
  test('works while the grant is held, and is refused when it is revoked, though it was verified before', async () => {
    const [ended, kept] = [await hold(acme), await hold(acme)];
    expect([(await list(acme, ended.token)).status, (await list(acme, kept.token)).status]).toEqual([200, 200]);
    await revoke(ended.id);
    const refused = await untilRefused(acme, ended.token);
    expect([refused.status, refused.headers['www-authenticate']]).toEqual([
      401,
      expect.stringContaining('error="invalid_token"'),
    ]);
    expect((await list(acme, kept.token)).status).toBe(200);
  });

  test('notes when it was last used, and again only after a minute', async () => {
    const { id, token } = await hold(acme);
    await owner.query(`update grants set last_used_at = now() - interval '1 day' where id = $1`, [id]);
    expect((await list(acme, token)).status).toBe(200);
    const used = async (): Promise<boolean> => {
      const { rows } = await owner.query(
        `select last_used_at > now() - interval '1 minute' as used from grants where id = $1`,
        [id],
      );
      return rows[0]?.used === true;
    };
    await until(used, 'the use is noted');
    await owner.query(`update grants set last_used_at = now() - interval '1 day' where id = $1`, [id]);
    expect((await list(acme, token)).status).toBe(200);
    await gateway.restart();
    expect(await used()).toBe(false);
  });

  test('is refused where the grant is gone, never was, or is another tenant’s', async () => {
    const foreign = await hold(globex);
    const token = await gateway.token(acme, acme.url, { gid: foreign.id });
    expect((await list(acme, token)).status).toBe(401);
    const unknown = await gateway.token(acme, acme.url, { gid: 'f'.repeat(64) });
    expect((await list(acme, unknown)).status).toBe(401);
    const gone = await hold(acme);
    await owner.query(`delete from grants where id = $1`, [gone.id]);
    expect((await list(acme, gone.token)).status).toBe(401);
  });

  test.each<[string, Record<string, unknown>]>([
    ['', {}],
    [' of an exchanged token', { act: { sub: 'client_mail', act: { sub: 'client_orders' } } }],
  ])('stops an open stream%s when the grant is revoked', async (_, claims) => {
    const { id, token } = await hold(acme, claims);
    const readToEnd = await openStream(acme, token);
    await revoke(id);
    await readToEnd();
    expect((await list(acme, token)).status).toBe(401);
  });
});

describe('a token that a server’s client exchanged', () => {
  const acting = { client_id: 'client_mail', act: { sub: 'client_mail', act: { sub: 'client_orders' } } };

  test('is recorded with everybody who acts, the present one first', async () => {
    const { token } = await hold(acme, acting);
    expect((await list(acme, token)).status).toBe(200);
    const { actor } = await gateway.audited(acme, (record) => record.actor['client'] === 'client_mail');
    expect(actor).toEqual({
      kind: 'person',
      id: expect.any(String),
      client: 'client_mail',
      acting: ['client_mail', 'client_orders'],
    });
  });

  test('does not open the session of the same client without who acted before', async () => {
    const { id, token } = await hold(acme, acting);
    const { rows } = await owner.query(`select account_id from grants where id = $1`, [id]);
    const direct = await gateway.token(acme, acme.url, { gid: id, sub: rows[0].account_id, client_id: 'client_mail' });
    const opened = legacy(INITIALIZE);
    const as = (bearer: string) => ({ authorization: `Bearer ${bearer}` });
    const session = await send(acme.url, { ...opened, headers: { ...opened.headers, ...as(token) } });
    const inside = legacy({ id: 2, method: 'tools/list' }, String(session.headers['mcp-session-id']));
    const use = (bearer: string) => send(acme.url, { ...inside, headers: { ...inside.headers, ...as(bearer) } });
    expect([(await use(token)).status, (await use(direct)).status]).toEqual([200, 404]);
  });

  test('with an actor that is none is refused', async () => {
    const { token } = await hold(acme, { act: 'client_mail' });
    expect((await list(acme, token)).status).toBe(401);
  });
});
