import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { adviceOf } from '#libs/connect-attempts';
import { until } from '#libs/testing';
import { DEVICE_CODE } from '../device/device-flow.js';
import { TOKEN_EXCHANGE } from '../exchange/grant-type.js';
import {
  AuthWorld,
  loginFields,
  WEB_CLIENT,
  type AuthorizeChanges,
  type TestClient,
} from '../testing/auth-world.fixture.js';
import { newKey, proofOf } from '../testing/client-keys.fixture.js';
import { addClient, postForm } from '../testing/tenant-clients.fixture.js';
import { authorizeRule, tokenRule } from './rules-of-errors.js';

const EMAIL = 'ana@acme.test';
const CLIENT_ID = 'https://169.254.169.254/client.json';
let world: AuthWorld;
let acme: string;
let mcp: string;
let client: TestClient;

beforeAll(async () => {
  world = await AuthWorld.open({ WHARF_REGISTRATIONS_PER_HOUR: '1000' });
  acme = await world.addTenant('acme');
  await world.addPerson(EMAIL, { [acme]: 'user' });
  mcp = `${world.url}/t/acme/mcp`;
  client = await world.register(WEB_CLIENT);
});
afterAll(() => world.close());

/** Waits until the step is written. */
async function noted(step: string, rule: string): Promise<void> {
  expect(adviceOf(rule === 'ok' ? 'login_wrong' : rule)).not.toContain('does not know the rule');
  const found = (): Promise<{ rowCount: number | null }> =>
    world.owner.query(`delete from connect_steps where tenant_id = $1 and step = $2 and rule = $3`, [acme, step, rule]);
  await until(async () => (await found()).rowCount !== 0, `the step ${step} with ${rule}`);
}

test.each<[string, AuthorizeChanges, string]>([
  ['an unusable client document', { client_id: CLIENT_ID }, 'client_document_unusable'],
  ['prompt=none without a session', { prompt: 'none' }, 'interaction_needed'],
  ['an unknown prompt', { prompt: 'dance' }, 'prompt_invalid'],
  ['a request object', { request: 'eyJhbGciOiJub25lIn0.e30.' }, 'request_object_unsupported'],
  ['a request_uri that was never pushed', { request_uri: 'urn:ietf:params:oauth:request_uri:x' }, 'request_uri_ended'],
  ['a response mode that is not served', { response_mode: 'web_message' }, 'response_mode_unsupported'],
  ['no response type', { response_type: null }, 'parameter_missing'],
])('an authorization request with %s is noted', async (_, changes, rule) => {
  await world.browser().open(world.authorizeUrl(client, mcp, changes));
  await noted('authorize', rule);
});

test('a repeated parameter of an authorization request is noted', async () => {
  await world.browser().open(`${world.authorizeUrl(client, mcp)}&state=again`);
  await noted('authorize', 'parameter_repeated');
});

test('a device that asks after its code has expired, and one whose person refused, are noted', async () => {
  const device = await world.register({ redirect_uris: [], response_types: [], grant_types: [DEVICE_CODE] });
  const { body } = await world.form('/auth/device/auth', { client_id: device.client_id, resource: mcp });
  await noted('authorize', 'ok');
  const poll = () =>
    world.token(device, { grant_type: DEVICE_CODE, device_code: String(body['device_code']), resource: mcp });
  await world.owner.query(`update oauth_artifacts set expires_at = now() where model = 'DeviceCode'`);
  expect((await poll()).body).toEqual({ error: 'expired_token', error_description: expect.stringMatching(/new/) });
  await noted('token', 'device_code_expired');
  await world.form('/auth/device/auth', { client_id: client.client_id, resource: mcp });
  await noted('authorize', 'grant_type_unregistered');
});

test('a client’s assertion that does not do, and a proof of a key, are noted', async () => {
  const key = await newKey();
  const signer = await addClient(world, acme, { auth_method: 'private_key_jwt', key_set: { keys: [key.jwk] } });
  const fields = { grant_type: 'client_credentials', client_id: signer.client_id, resource: mcp };
  const type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
  await postForm(world, '/auth/token', { ...fields, client_assertion: 'x.y.z', client_assertion_type: type });
  await noted('token', 'assertion_unreadable');
  const machine = await addClient(world, acme);
  const asked = { ...fields, client_id: machine.client_id, client_secret: machine.client_secret ?? '' };
  const elsewhere = await proofOf(key, `${world.url}/auth/par`);
  expect((await postForm(world, '/auth/token', asked, { dpop: elsewhere })).body['error']).toBe('invalid_dpop_proof');
  await noted('token', 'proof_refused');
});

test('other refusals at the token endpoint are noted apart', async () => {
  const machine = await addClient(world, acme);
  const ask = (fields: Record<string, string>) => world.token(machine, { resource: mcp, ...fields });
  await ask({ grant_type: 'password' });
  await noted('token', 'grant_type_unsupported');
  await ask({ grant_type: 'client_credentials', scope: 'everything' });
  await noted('token', 'scope_refused');
  await ask({ grant_type: TOKEN_EXCHANGE, subject_token: 'x', subject_token_type: 'y' });
  await noted('token', 'exchange_refused');
});

test('a token request with a resource that is not quite the URL is noted at the step token', async () => {
  const code = (await world.authorize(client, mcp, EMAIL)).searchParams.get('code');
  const answer = await world.redeem(client, code, `${mcp}/`);
  expect([answer.status, answer.body['error']]).toEqual([400, 'invalid_target']);
  await noted('token', 'token_resource_wrong');
});

test('somebody without access is noted when they are told so, whether or not they press the button', async () => {
  await world.addPerson('eve@other.test');
  const browser = world.browser();
  const login = await browser.open(world.authorizeUrl(client, mcp));
  expect((await browser.submit(login, loginFields('eve@other.test'))).status).toBe(403);
  await noted('consent', 'no_access');
});

test('what nobody has thought of has a rule all the same', () => {
  const odd = { error: 'odd', description: '', detail: '' };
  expect([authorizeRule(odd), tokenRule(odd, '')]).toEqual(['authorize_invalid', 'token_refused']);
  expect(tokenRule({ ...odd, error: 'expired_token' }, DEVICE_CODE)).toBe('device_code_expired');
  expect(tokenRule({ ...odd, error: 'access_denied' }, DEVICE_CODE)).toBe('consent_refused');
});
