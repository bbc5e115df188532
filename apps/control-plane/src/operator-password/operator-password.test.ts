import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Client } from 'pg';
import { startControlPlane, type ControlPlane } from '../testing/control-plane.fixture.js';
import { codeOf, newSession, type TestOperator } from '../testing/operators.fixture.js';

const NEXT = 'a new horse for the battery';

let api: ControlPlane;
let owner: Client;

beforeAll(async () => {
  api = await startControlPlane();
  owner = await api.connectOwner();
});

afterAll(() => api?.stop());

/** A code that counts as unused, as one of half a minute later would. */
async function unusedCode({ id, totp }: TestOperator): Promise<string> {
  await owner.query(`update operator_accounts set totp_last_step = 0 where operator_id = $1`, [id]);
  return codeOf(totp);
}

const change = (key: string, body: object) => api.send('PUT', '/admin/v1/me/password', { key, body });
const me = async (key: string) => (await api.send('GET', '/admin/v1/me', { key })).status;
const signIn = async (operator: TestOperator, password: string) => {
  const body = { email: operator.email, password, code: await unusedCode(operator) };
  return api.send('POST', '/admin/v1/sign-in', { body });
};

test('a new password takes the old one’s place: other sessions and impersonations end, this one and keys go on', async () => {
  const { operator, token } = await newSession(api, 'operator');
  const { body: key } = await api.send('POST', '/admin/v1/me/keys', { key: token, body: { name: 'k', reason: 'r' } });
  const { body: other } = await signIn(operator, operator.password);
  const { slug } = await api.newTenant();
  const begun = `/admin/v1/tenants/${slug}/impersonations`;
  const { body: look } = await api.send('POST', begun, { key: other.token, body: { reason: 'r' } });
  const body = { password: operator.password, code: await unusedCode(operator), new_password: NEXT };
  expect((await change(token, body)).status).toBe(204);
  expect([await me(token), await me(key.text), await me(other.token)]).toEqual([200, 200, 401]);
  expect((await api.send('GET', '/v1/tenant', { key: look.token })).status).toBe(401);
  expect([(await signIn(operator, operator.password)).status, (await signIn(operator, NEXT)).status]).toEqual([
    401, 201,
  ]);
  const { body: log } = await api.send('GET', '/admin/v1/actions?action=operators.change_password', {
    key: api.operatorKey,
  });
  expect(log.actions).toMatchObject([{ operator: { id: operator.id }, details: { outcome: 'done' } }]);
});

test('without the present password and an unused code nothing changes, and guesses count with those at signing in', async () => {
  const { operator, token } = await newSession(api, 'support');
  const { password } = operator;
  const used = codeOf(operator.totp);
  const answers = [
    await change(token, { password: 'wrong', code: await unusedCode(operator), new_password: NEXT }),
    await change(token, { password, code: '000000', new_password: NEXT }),
  ];
  await owner.query(`update operator_accounts set totp_last_step = 2000000000 where operator_id = $1`, [operator.id]);
  answers.push(await change(token, { password, code: used, new_password: NEXT }));
  expect(new Set(answers.map(({ status, body }) => `${status} ${body.detail}`)).size).toBe(1);
  expect(answers[0]?.status).toBe(422);
  for (let more = 0; more < 3; more += 1) await change(token, { password: 'wrong', code: used, new_password: NEXT });
  const late = { password, code: await unusedCode(operator), new_password: NEXT };
  expect((await change(token, late)).status).toBe(422);
  expect((await signIn(operator, password)).status).toBe(401);
});

test('keys, also those for emergencies, have no password', async () => {
  const { operator, token } = await newSession(api, 'operator');
  const { body: key } = await api.send('POST', '/admin/v1/me/keys', { key: token, body: { name: 'k', reason: 'r' } });
  const body = { password: operator.password, code: codeOf(operator.totp, 1), new_password: NEXT };
  expect([(await change(key.text, body)).status, (await change(api.operatorKey, body)).status]).toEqual([409, 409]);
});
