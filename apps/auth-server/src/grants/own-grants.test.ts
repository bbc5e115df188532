import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { until } from '#libs/testing';
import { decodeJwt } from 'jose';
import { withoutChance } from '../testing/browser.fixture.js';
import { AuthWorld, loginFields, WEB_CLIENT, type Answered, type TestClient } from '../testing/auth-world.fixture.js';
import type { Browser, Visited } from '../testing/browser.fixture.js';

let world: AuthWorld;
let acme: string;
let mcp: string;
let beta: string;
let client: TestClient;
const ANA = 'ana@acme.test';
const EVE = 'eve@acme.test';

beforeAll(async () => {
  world = await AuthWorld.open();
  acme = await world.addTenant('acme', 'Acme');
  const other = await world.addTenant('beta', '<b>Beta</b>');
  await world.addPerson(ANA, { [acme]: 'admin', [other]: 'admin' });
  await world.addPerson(EVE, { [acme]: 'admin' });
  mcp = `${world.url}/t/acme/mcp`;
  beta = `${world.url}/t/beta/mcp`;
  client = await world.register({ client_name: '<i>Agent</i>', ...WEB_CLIENT });
});
afterAll(async () => world.close());

function gidOf({ body }: Answered): string {
  return String(decodeJwt(String(body['access_token']))['gid']);
}

describe('the API of one’s own grants', () => {
  async function management(email: string, slug = 'acme'): Promise<string> {
    const answer = await world.signedIn(client, `${world.url}/v1/tenants/${slug}`, email);
    return String(answer.body['access_token']);
  }

  async function call(method: string, token: string | undefined, id = ''): Promise<Response> {
    return fetch(`${world.url}/v1/me/grants${id}`, {
      method,
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    });
  }

  async function listed(token: string): Promise<Array<{ id: string; resource: string; client: object }>> {
    const response = await call('GET', token);
    expect(response.status).toBe(200);
    return ((await response.json()) as { grants: Array<{ id: string; resource: string; client: object }> }).grants; // ours
  }

  test('lists which agent holds what, since when and when last used, of this person at this tenant only', async () => {
    const mine = gidOf(await world.signedIn(client, mcp, ANA));
    const hers = gidOf(await world.signedIn(client, mcp, EVE));
    const elsewhere = gidOf(await world.signedIn(client, beta, ANA));
    const grants = await listed(await management(ANA));
    expect(grants.find(({ id }) => id === mine)).toEqual({
      id: mine,
      client: { id: client.client_id, name: '<i>Agent</i>', redirect_host: 'app.example' },
      resource: mcp,
      scope: 'mcp:read',
      sign_ins: expect.any(Number),
      created_at: expect.stringMatching(/^\d{4}-.*Z$/),
      last_used_at: expect.stringMatching(/^\d{4}-.*Z$/),
    });
    const ids = grants.map(({ id }) => id);
    expect([ids.includes(hers), ids.includes(elsewhere)]).toEqual([false, false]);
  });

  test('ends one: no refresh, no silent return, and the tenant’s log says so', async () => {
    const held = await world.signedIn(client, mcp, ANA);
    const token = await management(ANA);
    expect((await call('DELETE', token, `/${gidOf(held)}`)).status).toBe(204);
    const refused = await world.refresh(client, held.body['refresh_token'], mcp);
    expect([refused.status, refused.body['error']]).toEqual([400, 'invalid_grant']);
    expect((await listed(token)).map(({ id }) => id)).not.toContain(gidOf(held));
    expect(await world.audited(acme)).toContain('grant.revoked ok');
    expect((await call('DELETE', token, `/${gidOf(held)}`)).status).toBe(404);
    const browser = world.browser();
    const login = await browser.open(world.authorizeUrl(client, mcp));
    expect((await browser.submit(login, loginFields(ANA))).text).toContain('value="allow"');
  });

  test('shows and ends an agent, however often it signed in, with a code that was not redeemed', async () => {
    const agent = await world.register({ client_name: 'Twice', ...WEB_CLIENT });
    const [first, elsewhere] = [await world.signedIn(agent, mcp, ANA), await world.signedIn(agent, beta, ANA)];
    const held = [first, await world.signedIn(agent, mcp, ANA)];
    const code = (await world.authorize(agent, mcp, ANA)).searchParams.get('code');
    const token = await management(ANA);
    const rows = (await listed(token)).filter((row) => Reflect.get(row.client, 'id') === agent.client_id);
    expect(rows).toMatchObject([{ resource: mcp, sign_ins: 2 }]);
    expect((await call('DELETE', token, `/${gidOf(first)}`)).status).toBe(204);
    for (const { body } of held) expect((await world.refresh(agent, body['refresh_token'], mcp)).status).toBe(400);
    expect((await world.redeem(agent, code, mcp)).body['error']).toBe('invalid_grant');
    expect((await world.refresh(agent, elsewhere.body['refresh_token'], beta)).status).toBe(200);
  });

  test('gives the list page by page, each agent once, and refuses what is no page', async () => {
    const token = await management(ANA);
    const whole = (await listed(token)).map(({ id }) => id);
    const seen: string[] = [];
    for (let query = '?limit=1'; query !== '';) {
      const answer = await call('GET', token, query);
      const page = (await answer.json()) as { grants: Array<{ id: string }>; next_cursor: string | null }; // ours
      seen.push(...page.grants.map(({ id }) => id));
      query = page.next_cursor === null ? '' : `?limit=1&cursor=${page.next_cursor}`;
    }
    expect(seen).toEqual(whole);
    for (const wrong of ['?limit=0', '?cursor=x', '?page=2'])
      expect((await call('GET', token, wrong)).status).toBe(400);
  });

  test('knows neither another person’s grant nor one at another tenant', async () => {
    const hers = await world.signedIn(client, mcp, EVE);
    const elsewhere = await world.signedIn(client, beta, ANA);
    const token = await management(ANA);
    const answers = await Promise.all(
      [gidOf(hers), gidOf(elsewhere), 'f'.repeat(64)].map((id) => call('DELETE', token, `/${id}`)),
    );
    expect(answers.map(({ status }) => status)).toEqual([404, 404, 404]);
    const bodies = await Promise.all(answers.map((answer) => answer.text()));
    expect(new Set(bodies.map((body) => body.replace(/"request_id":"[^"]+"/, ''))).size).toBe(1);
    expect((await world.refresh(client, hers.body['refresh_token'], mcp)).status).toBe(200);
    expect((await world.refresh(client, elsewhere.body['refresh_token'], beta)).status).toBe(200);
  });

  test('is closed to whoever has no living token for a management API', async () => {
    const agent = await world.signedIn(client, mcp, ANA);
    const ended = await management(ANA);
    await call('DELETE', ended, `/${String(decodeJwt(ended)['gid'])}`);
    const [head = '', body = ''] = (await management(ANA)).split('.');
    for (const token of [undefined, 'nothing']) {
      const answer = await call('GET', token);
      expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([401, 'Bearer scope="management"']);
    }
    const metadata = `${world.url}/.well-known/oauth-protected-resource/v1/tenants/acme`;
    for (const token of [String(agent.body['access_token']), ended, `${head}.${body}.AAAA`]) {
      const answer = await call('GET', token);
      expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([
        401,
        `Bearer scope="management", resource_metadata="${metadata}", error="invalid_token"`,
      ]);
    }
  });

  test('knows GET for the list and DELETE for one, and no other shape of id', async () => {
    const token = await management(ANA);
    expect((await call('POST', token)).status).toBe(405);
    expect((await call('GET', token, `/${'f'.repeat(64)}`)).status).toBe(405);
    expect((await call('DELETE', token, '/short')).status).toBe(404);
  });
});

describe('the page of one’s own sessions', () => {
  const page = (): string => `${world.url}/auth/sessions`;

  async function enter(email: string): Promise<{ browser: Browser; shown: Visited }> {
    const browser = world.browser();
    return { browser, shown: await browser.submit(await browser.open(page()), loginFields(email)) };
  }

  test('asks who it is, and shows what agents hold at every tenant, escaped', async () => {
    await world.signedIn(client, mcp, ANA);
    await world.signedIn(client, beta, ANA);
    const { shown } = await enter(ANA);
    expect(shown.status).toBe(200);
    for (const text of ['Your agents’ access', ANA, mcp, beta, 'app.example', client.client_id]) {
      expect(shown.text).toContain(text);
    }
    expect(shown.text).toContain('&lt;i&gt;Agent&lt;/i&gt;');
    expect(shown.text).toContain('&lt;b&gt;Beta&lt;/b&gt;');
    expect(shown.text).not.toMatch(/<script|<i>Agent/);
    expect(shown.headers.get('content-security-policy')).toContain(`frame-ancestors 'none'`);
    expect(shown.headers.get('cache-control')).toBe('no-store');
  });

  test('knows whoever signed in on the way to a tenant URL with the same browser', async () => {
    const browser = world.browser();
    await world.authorize(client, mcp, EVE, browser);
    expect((await browser.open(page())).text).toContain(EVE);
  });

  test('ends one, and leaves another person’s alone', async () => {
    const mine = await world.signedIn(client, mcp, ANA);
    const hers = await world.signedIn(client, mcp, EVE);
    const { browser, shown } = await enter(ANA);
    const after = await browser.submit(shown, { action: 'revoke', grant: gidOf(mine) });
    expect([after.status, after.text.includes(gidOf(mine))]).toEqual([200, false]);
    await browser.submit(after, { action: 'revoke', grant: gidOf(hers) });
    expect((await world.refresh(client, mine.body['refresh_token'], mcp)).body['error']).toBe('invalid_grant');
    expect((await world.refresh(client, hers.body['refresh_token'], mcp)).status).toBe(200);
  });

  test('refuses forms that are not from the page shown to this very session', async () => {
    const mine = await world.signedIn(client, mcp, ANA);
    const [ana, eve] = [await enter(ANA), await enter(EVE)];
    const foreign = /name="csrf" value="([^"]*)"/.exec(eve.shown.text)?.[1] ?? '';
    for (const csrf of ['', 'x', foreign]) {
      const answer = await ana.browser.submit(ana.shown, { csrf, action: 'revoke', grant: gidOf(mine) });
      expect(answer.status).toBe(400);
    }
    expect((await world.browser().post(page(), { csrf: '', ...loginFields(ANA) })).status).toBe(400);
    expect((await world.refresh(client, mine.body['refresh_token'], mcp)).status).toBe(200);
  });

  test('says the same of a wrong password and an unknown person', async () => {
    const answers = await Promise.all(
      [ANA, 'nobody@acme.test'].map(async (email) => {
        const browser = world.browser();
        return browser.submit(await browser.open(page()), loginFields(email, 'wrong'));
      }),
    );
    const texts = answers.map(({ text }) => withoutChance(text).replace(/value="\w+@[\w.]*"/, ''));
    expect(answers.map(({ status }) => status)).toEqual([401, 401]);
    expect(texts[0]).toBe(texts[1]);
  });

  test('signs out of the browser', async () => {
    const { browser, shown } = await enter(ANA);
    const out = await browser.submit(shown, { action: 'sign-out' });
    expect(out.text).toContain('name="password"');
    expect((await browser.open(page())).text).not.toContain(ANA);
  });
});

test('expired grants are deleted, living ones are not', async () => {
  const [due, living] = [await world.signedIn(client, mcp, ANA), await world.signedIn(client, mcp, ANA)];
  await world.owner.query(`update grants set expires_at = now() - interval '1 minute' where id = $1`, [gidOf(due)]);
  await world.restart();
  const left = async (): Promise<string[]> => {
    const { rows } = await world.owner.query<{ id: string }>(`select id from grants where id = any($1)`, [
      [gidOf(due), gidOf(living)],
    ]);
    return rows.map(({ id }) => id);
  };
  await until(async () => !(await left()).includes(gidOf(due)), 'the grant that is due is gone');
  expect(await left()).toEqual([gidOf(living)]);
});

// The last, for all the tests of this file come from one address.
test('an address that tries credentials in vain has to wait', async () => {
  const statuses: number[] = [];
  while (statuses.at(-1) !== 429 && statuses.length < 70) {
    const forged = await fetch(`${world.url}/v1/me/grants`, {
      headers: { authorization: 'Bearer a.b.c' },
    });
    statuses.push(forged.status);
    if (forged.status === 429) expect(forged.headers.get('ratelimit')).toMatch(/^"refused_tokens";r=0;t=[1-9]\d?$/);
  }
  expect([statuses.at(-1), statuses.length > 30]).toEqual([429, true]);
});
