import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { HELD_BY_OPERATORS } from '../access/operator-roles.js';
import { startControlPlane, type ControlPlane } from '../testing/control-plane.fixture.js';
import { codeOf, invite, newOperator, newSession } from '../testing/operators.fixture.js';

let api: ControlPlane;

beforeAll(async () => {
  api = await startControlPlane();
});

afterAll(() => api.stop());

const act = (key: string, method: string, path: string, body?: unknown) =>
  api.send(method, `/admin/v1${path}`, { key, ...(body === undefined ? {} : { body }) });
const statusOf = async (key: string, path: string) => (await act(key, 'GET', path)).status;
const signIn = (body: object) => api.send('POST', '/admin/v1/sign-in', { body });

test('what each role may is as reviewed', () => {
  expect(HELD_BY_OPERATORS).toMatchSnapshot();
});

test('an admin invites, the invited enrols and signs in, and each role opens what it may', async () => {
  const [support, operator, admin] = [
    await newSession(api, 'support'),
    await newSession(api, 'operator'),
    await newSession(api, 'admin'),
  ];
  for (const { token } of [support, operator, admin]) expect(await statusOf(token, '/tenants')).toBe(200);
  expect(await statusOf(support.token, '/actions')).toBe(403);
  expect(await statusOf(operator.token, '/actions')).toBe(200);
  expect(await statusOf(operator.token, '/operators')).toBe(403);
  expect(await statusOf(admin.token, '/operators')).toBe(200);
  const tenant = await api.newTenant();
  const refused = await act(support.token, 'POST', `/tenants/${tenant.slug}/suspend`, { reason: 'curious' });
  expect([refused.status, refused.body.detail]).toEqual([403, expect.stringContaining('platform.tenants.write')]);
});

test('a code works once, a wrong factor says no more than another, and five failures close the account to their network', async () => {
  const { email, password, totp } = await newOperator(api, 'operator');
  const body = { email, password, code: codeOf(totp) };
  expect((await signIn(body)).status).toBe(201);
  const answers = [
    await signIn(body),
    await signIn({ ...body, password: 'wrong' }),
    await signIn({ ...body, email: 'nobody@example.com' }),
  ];
  expect(new Set(answers.map((answer) => `${answer.status} ${answer.body.detail}`)).size).toBe(1);
  expect(answers[0]?.status).toBe(401);
  for (let more = 0; more < 5; more += 1) await signIn({ ...body, password: 'wrong' });
  expect((await signIn({ ...body, code: codeOf(totp, 1) })).status).toBe(401);
  const { body: log } = await act(api.operatorKey, 'GET', '/actions?limit=200');
  const failed = log.actions.filter((action: { action: string }) => action.action === 'operators.sign_in_failed');
  expect(failed.map((action: { details: { wrong: string } }) => action.details.wrong)).toEqual(
    expect.arrayContaining(['password', 'locked']),
  );
});

test('a shut account, a lesser role and a second invitation hold at once for sessions and keys', async () => {
  const { operator, token } = await newSession(api, 'operator');
  const made = await act(token, 'POST', '/me/keys', { name: 'k', role: 'support', reason: 'nightly report' });
  const key: string = made.body.text;
  expect([await statusOf(key, '/tenants'), await statusOf(key, '/actions')]).toEqual([200, 403]);
  expect((await act(key, 'POST', '/me/keys', { name: 'more', reason: 'r' })).status).toBe(409);
  expect((await act(token, 'POST', '/me/keys', { name: 'k', role: 'admin', reason: 'r' })).status).toBe(422);
  const change = (body: object) => act(api.operatorKey, 'PATCH', `/operators/${operator.id}`, body);
  await change({ role: 'support', reason: 'moved' });
  expect([await statusOf(token, '/tenants'), await statusOf(token, '/actions')]).toEqual([200, 403]);
  await change({ disabled: true, reason: 'left' });
  expect([await statusOf(token, '/me'), await statusOf(key, '/me')]).toEqual([401, 401]);
  await change({ disabled: false, reason: 'came back' });
  expect([await statusOf(token, '/me'), await statusOf(key, '/me')]).toEqual([401, 401]);
  expect(
    (await act(api.operatorKey, 'POST', `/operators/${operator.id}/invitation`, { reason: 'lost phone' })).status,
  ).toBe(201);
  const { email, password, totp } = operator;
  expect((await signIn({ email, password, code: codeOf(totp, 1) })).status).toBe(401);
});

test('a change that changes nothing says so in the log, and one that names nothing is refused', async () => {
  const { id } = await newOperator(api, 'operator');
  const change = async (body: object) => (await act(api.operatorKey, 'PATCH', `/operators/${id}`, body)).status;
  expect(await change({ reason: 'none' })).toBe(400);
  expect([
    await change({ role: 'operator', reason: 'same' }),
    await change({ role: 'support', reason: 'other' }),
  ]).toEqual([200, 200]);
  const { body } = await act(api.operatorKey, 'GET', '/actions?action=operators.change&limit=2');
  expect(body.actions.map(({ details }: { details: { outcome: string } }) => details.outcome)).toEqual([
    'done',
    'unchanged',
  ]);
});

test('an admin sees another’s keys and revokes one, which opens nothing then; a key does not, nor a lesser role', async () => {
  const [owner, stranger, admin] = [
    await newSession(api, 'operator'),
    await newSession(api, 'operator'),
    await newSession(api, 'admin'),
  ];
  const { body: made } = await act(owner.token, 'POST', '/me/keys', { name: 'leaked', reason: 'r' });
  const { body: adminKey } = await act(admin.token, 'POST', '/me/keys', { name: 'k', reason: 'r' });
  const path = `/operators/${owner.operator.id}/keys`;
  const listed = await act(admin.token, 'GET', path);
  expect(listed.body.keys).toMatchObject([{ id: made.key.id, name: 'leaked' }]);
  expect(listed.text).not.toContain(made.text);
  const revoke = (key: string, of = owner.operator.id) =>
    act(key, 'DELETE', `/operators/${of}/keys/${made.key.id}?reason=leaked`);
  expect([
    (await revoke(stranger.token)).status,
    (await revoke(adminKey.text)).status,
    (await revoke(admin.token, stranger.operator.id)).status,
    await statusOf(made.text, '/me'),
  ]).toEqual([403, 409, 404, 200]);
  expect([(await revoke(admin.token)).status, await statusOf(made.text, '/me')]).toEqual([204, 401]);
  expect((await revoke(admin.token)).status).toBe(404);
  expect((await act(admin.token, 'GET', path)).body.keys).toEqual([]);
});

test('nobody changes their own account, and an address has one', async () => {
  const { operator, token } = await newSession(api, 'admin');
  expect((await act(token, 'PATCH', `/operators/${operator.id}`, { disabled: true, reason: 'r' })).status).toBe(409);
  const again = { email: operator.email.toUpperCase(), name: 'O', role: 'support', reason: 'r' };
  expect((await act(token, 'POST', '/operators', again)).status).toBe(409);
});

test('a key of an admin makes no operators, and takes no tenant along that an admin alone may', async () => {
  const { token } = await newSession(api, 'admin');
  const { body: made } = await act(token, 'POST', '/me/keys', { name: 'k', reason: 'nightly report' });
  const { operator, token: lesser } = await newSession(api, 'operator');
  const accomplice = { email: 'accomplice@example.com', name: 'A', role: 'admin', reason: 'r' };
  const answers = [
    await act(made.text, 'POST', '/operators', accomplice),
    await act(made.text, 'PATCH', `/operators/${operator.id}`, { role: 'admin', reason: 'r' }),
    await act(made.text, 'POST', `/operators/${operator.id}/invitation`, { reason: 'r' }),
  ];
  expect(answers.map(({ status }) => status)).toEqual([409, 409, 409]);
  expect((await act(token, 'POST', '/operators', accomplice)).status).toBe(201);
  const { slug } = await api.newTenant();
  const wanted = { secrets: { kind: 'passphrase', passphrase: 'known to the operator' }, reason: 'curious' };
  const refused = await act(lesser, 'POST', `/tenants/${slug}/exports`, wanted);
  expect([refused.status, refused.body.detail]).toEqual([403, expect.stringContaining('platform.tenants.export')]);
});

test('an invitation is taken once, and signing out ends the session', async () => {
  const { text } = await invite(api, 'support');
  const stolen = { invitation: text, code: '000000' };
  expect((await api.send('POST', '/admin/v1/enrolments/confirmation', { body: stolen })).status).toBe(401);
  const { token } = await newSession(api, 'support');
  expect((await act(token, 'POST', '/me/sign-out')).status).toBe(204);
  expect(await statusOf(token, '/me')).toBe(401);
});

test('every act says by which credential it was done, the key for emergencies by its name', async () => {
  const { operator, token } = await newSession(api, 'operator');
  await act(token, 'GET', '/plans');
  const { body } = await act(api.operatorKey, 'GET', '/actions?action=actions.list&limit=1');
  expect(body.actions[0].details.by).toBe('break_glass');
  const own = await act(api.operatorKey, 'GET', `/actions?operator=${operator.id}&action=plans`);
  expect(own.body.actions[0].details.by).toMatch(/^session:/);
  const of = async (query: string) =>
    (await act(api.operatorKey, 'GET', `/actions?limit=200&${query}`)).body.actions.map(
      ({ action }: { action: string }) => action,
    );
  expect(new Set(await of('action=operators.sign_in'))).toEqual(new Set(['operators.sign_in']));
  expect(await of(`operator=${operator.id}&action=plans`)).toEqual(['plans.list']);
  expect(await of(`operator=${operator.id}&q=signed%20IN`)).toEqual(['operators.sign_in']);
  expect(await of('q=%25')).toEqual([]);
});
