import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startControlPlane, type ControlPlane } from '../testing/control-plane.fixture.js';
import { newEmergencyKey } from '../testing/emergency-key.fixture.js';
import { newSession } from '../testing/operators.fixture.js';

let api: ControlPlane;
let admin: string;

beforeAll(async () => {
  api = await startControlPlane();
  admin = (await newSession(api, 'admin')).token;
});

afterAll(() => api.stop());

const act = (key: string, method: string, path: string, body?: unknown) =>
  api.send(method, `/admin/v1${path}`, { key, ...(body === undefined ? {} : { body }) });
const listed = async (): Promise<Array<{ id: string; state: string; last_act_at: string | null }>> =>
  (await act(admin, 'GET', '/emergency-keys')).body.emergency_keys;

test('emergency keys are listed, and one that is shut opens nothing from the next request on', async () => {
  const { id, text } = await newEmergencyKey(api);
  expect(await listed()).toContainEqual(
    expect.objectContaining({ id, state: 'open', shut_at: null, last_act_at: null }),
  );
  expect((await act(text, 'GET', '/operators')).status).toBe(200);
  expect((await listed()).find((key) => key.id === id)?.last_act_at).not.toBeNull();
  expect((await act(admin, 'DELETE', `/emergency-keys/${id}?reason=it+leaked`)).status).toBe(204);
  expect((await act(text, 'GET', '/operators')).status).toBe(401);
  expect((await listed()).at(-1)).toMatchObject({ id, state: 'shut', shut_at: expect.any(String) });
  expect((await act(admin, 'DELETE', `/emergency-keys/${id}?reason=again`)).status).toBe(404);
  const { body } = await act(admin, 'GET', '/actions?action=emergency_keys.shut');
  expect(body.actions).toMatchObject([{ reason: 'it leaked', details: { key: id } }]);
});

test('the key of no one, an operator with an account and a stranger’s id are no emergency keys', async () => {
  const { operator } = await newSession(api, 'admin');
  for (const id of ['00000000-0000-7000-8000-000000000000', operator.id, 'ffffffff-ffff-7fff-8fff-ffffffffffff']) {
    expect((await listed()).map((key) => key.id)).not.toContain(id);
    expect((await act(admin, 'DELETE', `/emergency-keys/${id}?reason=r`)).status).toBe(404);
  }
});

test('a key of an account shuts none, and lesser roles see none', async () => {
  const { id } = await newEmergencyKey(api);
  const made = await act(admin, 'POST', '/me/keys', { name: 'k', role: 'admin', reason: 'r' });
  expect((await act(made.body.text, 'DELETE', `/emergency-keys/${id}?reason=r`)).status).toBe(409);
  const operator = (await newSession(api, 'operator')).token;
  expect((await act(operator, 'GET', '/emergency-keys')).status).toBe(403);
  expect((await act(operator, 'DELETE', `/emergency-keys/${id}?reason=r`)).status).toBe(403);
  expect(await listed()).toContainEqual(expect.objectContaining({ id, state: 'open' }));
});
