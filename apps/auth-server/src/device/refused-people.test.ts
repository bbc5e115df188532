import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { AuthWorld, type Answered, type TestClient } from '../testing/auth-world.fixture.js';
import { enterDeviceCode } from '../testing/device.fixture.js';
import { DEVICE_CODE } from './device-flow.js';

const ANA = 'ana@acme.example';

let world: AuthWorld;
let acme: string;
let device: TestClient;

beforeAll(async () => {
  world = await AuthWorld.open();
  acme = await world.addTenant('acme', 'Acme Inc.');
  await world.addPerson(ANA, { [acme]: 'user' });
  await world.addPerson('eve@else.example');
  const grant_types = [DEVICE_CODE, 'refresh_token'];
  device = await world.register({ redirect_uris: [], response_types: [], grant_types });
});
afterAll(() => world?.close());

const start = (resource: string): Promise<Answered> =>
  world.form('/auth/device/auth', { client_id: device.client_id, resource });
const poll = (started: Answered, resource: string): Promise<Answered> =>
  world.token(device, { grant_type: DEVICE_CODE, device_code: String(started.body['device_code']), resource });

test.each([
  ['is no member of the tenant', 'eve@else.example', '/t/acme/mcp', 'is not a member of', /ask its tenant/],
  ['has a role without the management API', ANA, '/v1/tenants/acme', 'has no role', /^The role .* every role\.$/],
])('a device whose person %s is told at once, and that person may use another account', async (...of) => {
  const [, email, path, words, told] = of;
  const [resource, browser] = [`${world.url}${path}`, world.browser()];
  const started = await start(resource);
  const page = await enterDeviceCode(world, { code: String(started.body['user_code']), email, browser });
  expect([page.status, page.text]).toEqual([403, expect.stringContaining('You have no access to Acme Inc.')]);
  expect(page.text).toContain(words);
  const { body } = await poll(started, resource);
  expect(body).toMatchObject({ error: 'access_denied', error_description: expect.stringMatching(told) });
  expect(String(body['error_description'])).not.toContain(email);

  const out = await browser.submit(page, { action: 'sign-out' });
  expect(out.text).toContain('You are signed out');
  const again = await start(`${world.url}/t/acme/mcp`);
  const code = String(again.body['user_code']);
  expect((await enterDeviceCode(world, { code, email: ANA, browser })).text).toContain('value="allow"');
});

test('a device that was told so is told once in the log, and its code is good for nothing more', async () => {
  const resource = `${world.url}/v1/tenants/acme`;
  const [started, browser] = [await start(resource), world.browser()];
  const before = (await world.audited(acme)).filter((line) => line === 'consent.refused no_access').length;
  const code = String(started.body['user_code']);
  const page = await enterDeviceCode(world, { code, email: ANA, browser });
  expect((await browser.submit(page, { action: 'allow' })).status).toBe(403);
  const after = (await world.audited(acme)).filter((line) => line === 'consent.refused no_access').length;
  expect(after - before).toBe(1);
  const { text } = await enterDeviceCode(world, { code, email: ANA, browser: world.browser() });
  expect(text).toContain('used already');
});
