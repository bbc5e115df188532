import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { AuthWorld, loginFields, WEB_CLIENT, type TestClient } from '../testing/auth-world.fixture.js';

let world: AuthWorld;
let acme: string;
let client: TestClient;
const [NAMED, GROUPED, OTHER] = ['named@acme.test', 'grouped@acme.test', 'other@acme.test'];

beforeAll(async () => {
  world = await AuthWorld.open();
  acme = await world.addTenant('acme', 'Acme');
  await world.addServer(acme, 'payroll');
  const named = await world.addPerson(NAMED, { [acme]: 'user' });
  const grouped = await world.addPerson(GROUPED, { [acme]: 'user' });
  await world.addPerson(OTHER, { [acme]: 'owner' });
  client = await world.register({ client_name: 'Agent', ...WEB_CLIENT });
  await world.owner.query(`update members set groups = '{hr}' where account_id = $1`, [grouped]);
  await world.owner.query(
    `insert into server_people (tenant_id, server_id, kind, who)
     select $1, id, kind, who from servers, (values ('group', 'hr'), ('member', $2)) as w (kind, who)`,
    [acme, named],
  );
});
afterAll(() => world?.close());

const restrict = (people: string): Promise<unknown> => world.owner.query(`update servers set people = $1`, [people]);
const payroll = (): string => `${world.url}/t/acme/payroll/mcp`;

test('people get tokens for a server that is open to them or their groups; the others for the tenant’s other servers', async () => {
  await restrict('named');
  for (const email of [NAMED, GROUPED]) {
    expect((await world.signedIn(client, payroll(), email)).body).toHaveProperty('access_token');
  }
  await expect(world.signedIn(client, payroll(), OTHER)).rejects.toThrow();
  const browser = world.browser();
  const page = await browser.submit(await browser.open(world.authorizeUrl(client, payroll())), loginFields(OTHER));
  expect([page.status, page.text]).toEqual([403, expect.stringContaining('is a member of <b>Acme</b>, but')]);
  expect(page.text).not.toContain('not a member');
  expect((await world.signedIn(client, `${world.url}/t/acme/mcp`, OTHER)).body).toHaveProperty('access_token');
});

test('who is named no more gets no new token by what they hold', async () => {
  await restrict('everyone');
  const held = await world.signedIn(client, payroll(), OTHER);
  const refresh = () => world.refresh(client, String(held.body['refresh_token']), payroll());
  await restrict('named');
  expect((await refresh()).body).toMatchObject({ error: 'invalid_grant' });
});
