import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startUpstream, type Upstream } from '#libs/journey';
import { startWharf, type Wharf } from '#libs/testing';
import { ScriptedAgent } from './scripted-agent.js';
import { openTestShop, type TestShop } from './shop.js';

let wharf: Wharf;
let upstream: Upstream;
let shop: TestShop;
beforeAll(async () => {
  [wharf, upstream] = await Promise.all([startWharf(), startUpstream()]);
  shop = await openTestShop(wharf, upstream, 'restarted');
});
afterAll(async () => {
  await Promise.all([wharf.stop(), upstream.stop()]);
});

/** A person who must not be asked again. */
class OnceOnly extends ScriptedAgent {
  asked = 0;

  override async redirectToAuthorization(url: URL): Promise<void> {
    this.asked += 1;
    await super.redirectToAuthorization(url);
  }

  /** The access token is gone; only the refresh token is left. */
  forgetAccessToken(): void {
    const tokens = this.tokens();
    if (tokens !== undefined) this.saveTokens({ ...tokens, access_token: 'ended' });
  }
}

test('O-14: crashes, restarts and an emptied Redis sign no agent out', async () => {
  const agent = new OnceOnly(shop.owner, { program: 'survivor/1.0' });
  const tools = await agent.run(shop.serverUrl);
  const registered = agent.clientInformation()?.client_id;
  for (const disturb of [
    () => wharf.restart('SIGKILL'),
    () => wharf.flushRedis(),
    () => wharf.restart('SIGTERM').then(() => wharf.flushRedis()),
  ]) {
    await disturb();
    expect(await agent.run(shop.serverUrl)).toEqual(tools);
    agent.forgetAccessToken();
    expect(await agent.run(shop.serverUrl)).toEqual(tools);
  }
  expect([agent.asked, agent.clientInformation()?.client_id]).toEqual([1, registered]);
});

test('O-14: a refresh token that was revoked stays so after all that', async () => {
  const agent = new OnceOnly(shop.owner, { program: 'revoked/1.0' });
  await agent.run(shop.serverUrl);
  const token = agent.tokens()?.refresh_token ?? '';
  const form = { client_id: agent.clientInformation()?.client_id ?? '', token, refresh_token: token };
  const send = (path: string, fields: Record<string, string>): Promise<Response> =>
    fetch(`${wharf.url}/auth/${path}`, { method: 'POST', body: new URLSearchParams(fields) });
  expect((await send('revoke', { client_id: form.client_id, token })).status).toBe(200);
  await wharf.restart('SIGKILL');
  await wharf.flushRedis();
  const answer = await send('token', {
    client_id: form.client_id,
    refresh_token: token,
    grant_type: 'refresh_token',
    resource: shop.serverUrl,
  });
  expect([answer.status, await answer.json()]).toEqual([400, expect.objectContaining({ error: 'invalid_grant' })]);
});
