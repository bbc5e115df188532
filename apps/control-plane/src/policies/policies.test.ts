import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startControlPlane, type ControlPlane, type TestTenant } from '../testing/control-plane.fixture.js';
import { waitingApproval } from '../testing/policy-examples.fixture.js';

let api: ControlPlane;
let tenant: TestTenant;
let other: TestTenant;

beforeAll(async () => {
  api = await startControlPlane();
  [tenant, other] = await Promise.all([api.newTenant(), api.newTenant()]);
});

afterAll(() => api?.stop());

const put = (name: string, body: object, headers: Record<string, string> = {}) =>
  api.send('PUT', `/v1/policies/${name}`, { key: tenant.key, body, headers });
const send = (method: string, path: string, { key }: Pick<TestTenant, 'key'> = tenant, body?: object) =>
  api.send(method, path, { key, ...(body === undefined ? {} : { body }) });
const eventsOf = async (target: string): Promise<string[]> =>
  (await send('GET', `/v1/audit?target=${target}`)).body.records
    .map(({ event }: { event: string }) => event)
    .toReversed();

test('a rule is written with what is usual, changed under its tag, and gone when it is deleted', async () => {
  const written = await put('no-deletes', { effect: 'deny', expression: 'tool.destructive' });
  const usual = { priority: 1_000, enabled: true, scope: 'tool_calls', servers: [], approval_seconds: 900 };
  expect(written.body).toMatchObject({ ...usual, message: null, self_approval: false });
  const etag = written.headers.get('etag') ?? '';
  const changed = { effect: 'deny', expression: 'tool.destructive && region == "eu"', enabled: false };
  expect((await put('no-deletes', changed, { 'if-match': etag })).status).toBe(200);
  expect((await put('no-deletes', changed, { 'if-match': etag })).status).toBe(412);
  expect((await send('GET', '/v1/policies')).body.policies).toMatchObject([{ name: 'no-deletes', enabled: false }]);
  expect((await send('GET', '/v1/policies/no-deletes', other)).status).toBe(404);
  expect((await send('DELETE', '/v1/policies/no-deletes')).status).toBe(204);
  expect((await send('GET', '/v1/policies/no-deletes')).status).toBe(404);
  expect(await eventsOf('policy:no-deletes')).toEqual(['policy.created', 'policy.updated', 'policy.deleted']);
});

test.each([
  [{ expression: 'tool.nme == "x"' }, '/expression', 'At character 6'],
  [{ expression: 'tool.name' }, '/expression', 'true or false'],
  [{ expression: 'tool.name == "x"', scope: 'requests' }, '/expression', 'tool'],
  [{ expression: 'true', scope: 'requests', effect: 'require_approval' }, '/effect', 'tool_calls'],
  [{ expression: 'true', servers: ['nobodys'] }, '/servers/0', 'no server'],
  [{ expression: 'true', approval_seconds: 59 }, '/approval_seconds', ''],
])('%j is refused at %s', async (body, pointer, part) => {
  const { status, body: problem } = await put('bad', { effect: 'deny', ...body });
  expect([400, 422]).toContain(status);
  expect(problem.errors?.[0]).toMatchObject({ pointer, message: expect.stringContaining(part) });
  expect((await send('GET', '/v1/policies/bad')).status).toBe(404);
});

test('a call that waits is shown with its arguments, and decided once, by a person', async () => {
  const person = { key: await api.tokenOf(tenant, await api.newMember(tenant, 'admin')) };
  const stranger = { key: await api.tokenOf(other, other.ownerId) };
  const id = await waitingApproval(api, tenant);
  const shown = await send('GET', `/v1/approvals/${id}`);
  expect(shown.body).toMatchObject({ state: 'pending', tool: 'delete_order', arguments: { order: 'CANARY' } });
  expect((await send('GET', '/v1/approvals?state=pending')).text).not.toContain('CANARY');
  expect((await send('POST', `/v1/approvals/${id}/approve`, stranger)).status).toBe(404);
  const approved = await send('POST', `/v1/approvals/${id}/approve`, person, { reason: 'agreed by phone' });
  expect(approved.body).toMatchObject({ state: 'approved', reason: 'agreed by phone' });
  expect(approved.body.decided_by.kind).toBe('person');
  expect((await send('POST', `/v1/approvals/${id}/refuse`, person)).status).toBe(409);
  expect(await eventsOf(`approval:${id}`)).toEqual(['approval.approved']);
});

test.each(['approve', 'refuse'])(
  'no key may %s a call, whatever its scopes, and it is told who may',
  async (decision) => {
    const id = await waitingApproval(api, tenant);
    const answer = await send('POST', `/v1/approvals/${id}/${decision}`);
    expect([answer.status, answer.body.code]).toEqual([403, 'forbidden']);
    expect(answer.body.detail).toMatch(/A person must decide.*`wharf login`/);
    expect((await send('GET', `/v1/approvals/${id}`)).body.state).toBe('pending');
  },
);

test('whoever made a call refuses it at most, by whatever client they sign in', async () => {
  const [member, another] = await Promise.all([api.newMember(tenant, 'admin'), api.newMember(tenant, 'admin')]);
  const id = await waitingApproval(api, tenant, { kind: 'person', id: member, client: 'an agent of theirs' });
  const [self, second] = [{ key: await api.tokenOf(tenant, member) }, { key: await api.tokenOf(tenant, another) }];
  const own = await send('POST', `/v1/approvals/${id}/approve`, self);
  expect([own.status, own.body.detail]).toEqual([
    403,
    expect.stringContaining('You made this call yourself. Somebody else'),
  ]);
  expect((await send('POST', `/v1/approvals/${id}/approve`, second)).body.state).toBe('approved');
  const unwanted = await waitingApproval(api, tenant, { kind: 'person', id: member, client: 'an agent of theirs' });
  expect((await send('POST', `/v1/approvals/${unwanted}/refuse`, self)).body.state).toBe('refused');
});

test('a server has calls that destroy approved once it is switched on', async () => {
  const body = { slug: 'careful', name: 'Careful' };
  expect((await send('POST', '/v1/servers', tenant, body)).body.approves_destructive).toBe(false);
  const changed = await send('PATCH', '/v1/servers/careful', tenant, { approves_destructive: true });
  expect(changed.body.approves_destructive).toBe(true);
});

test('a server’s result guard is written as a whole, shown, recorded and taken away; what is none changes nothing', async () => {
  expect((await send('POST', '/v1/servers', tenant, { slug: 'guarded', name: 'Guarded' })).status).toBe(201);
  const change = (result_guard: unknown) => send('PATCH', '/v1/servers/guarded', tenant, { result_guard } as object);
  const guard = { max_bytes: 262_144, personal_data: { kinds: ['email', 'iban'], action: 'redact' } };
  expect((await change(guard)).body.result_guard).toEqual(guard);
  for (const wrong of [
    { max_bytes: 12 },
    { personal_data: { kinds: [], action: 'redact' } },
    { personal_data: { kinds: ['email', 'email'], action: 'redact' } },
    { personal_data: { kinds: ['name'], action: 'redact' } },
    { personal_data: { kinds: ['email'], action: 'mask' } },
    { unknown: true },
    'email',
  ])
    expect((await change(wrong)).status).toBe(400);
  const shown = await send('GET', '/v1/servers/guarded');
  expect(shown.body.result_guard).toEqual(guard);
  expect((await send('PATCH', '/v1/servers/guarded', other, { result_guard: null })).status).toBe(404);
  const { body } = await send('GET', '/v1/audit?event=server.changed');
  expect(body.records[0].details.result_guard).toEqual(guard);
  expect((await change({ max_bytes: 2_048 })).body.result_guard).toEqual({
    max_bytes: 2_048,
    personal_data: null,
  });
  expect((await change(null)).body.result_guard).toBeNull();
});
