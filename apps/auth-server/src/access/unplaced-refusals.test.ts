import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { AuthWorld, loginFields } from '../testing/auth-world.fixture.js';

let world: AuthWorld;

beforeAll(async () => {
  world = await AuthWorld.open();
  const acme = await world.addTenant('acme', 'Acme');
  await world.addPerson('ana@acme.test', { [acme]: 'admin' });
});
afterAll(() => world.close());

test('what is refused on the way to no tenant is counted in the platform’s log, and in no tenant’s', async () => {
  const browser = world.browser();
  const shown = await browser.open(`${world.url}/auth/sessions`);
  await browser.submit(shown, loginFields('ana@acme.test', 'wrong'));
  const token = (form: Record<string, string>) =>
    fetch(`${world.url}/auth/token`, { method: 'POST', body: new URLSearchParams(form) });
  for (let asked = 0; asked < 3; asked += 1)
    await token({ grant_type: 'refresh_token', client_id: 'stranger', refresh_token: 'guessed' });
  await fetch(`${world.url}/auth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ redirect_uris: ['http://evil.example/'] }),
  });
  await browser.open(
    `${world.url}/auth/authorize?client_id=stranger&response_type=code&redirect_uri=http://127.0.0.1:9/`,
  );
  // What has not been written yet is written when the service ends.
  await world.restart();
  const { rows } = await world.owner.query(
    `select r ->> 'rule' as rule, sum((r ->> 'count')::int)::int as count, bool_and(r -> 'addresses' <> '[]') as from
     from operator_actions a, jsonb_array_elements(a.details -> 'refusals') r
     where a.action = 'refusals.counted' and a.details ->> 'service' = 'wharf_auth' group by 1 order by 1`,
  );
  expect(rows).toEqual([
    { rule: 'authorize.invalid_client', count: 1, from: true },
    { rule: 'login.password', count: 1, from: true },
    { rule: 'registration.registration_redirect_uri', count: 1, from: true },
    { rule: 'token.client_refused', count: 3, from: true },
  ]);
  const told = await world.owner.query(`select event from audit_records`);
  expect(told.rows).toEqual([]);
});
