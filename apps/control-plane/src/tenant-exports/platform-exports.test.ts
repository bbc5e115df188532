import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startControlPlane, type ControlPlane, type TestTenant } from '../testing/control-plane.fixture.js';
import { newExport } from '../testing/life-cycle-examples.fixture.js';

let api: ControlPlane;
let tenant: TestTenant;

beforeAll(async () => {
  api = await startControlPlane();
  tenant = await api.newTenant();
});

afterAll(() => api?.stop());

const act = (method: string, path: string, body?: object) =>
  api.send(method, path, { key: api.operatorKey, ...(body === undefined ? {} : { body }) });

const exportsOf = ({ slug }: TestTenant) => `/admin/v1/tenants/${slug}/exports`;

const acts = async (action: string) => {
  const { body } = await act('GET', `/admin/v1/actions?action=${action}&tenant_id=${tenant.id}`);
  return body.actions;
};

test('an operator downloads where the list says, with a reason that both logs have', async () => {
  const id = await newExport(api, tenant);
  const { exports } = (await act('GET', exportsOf(tenant))).body;
  expect(exports[0]).toMatchObject({ id, download: `${exportsOf(tenant)}/${id}/content` });
  const refused = await act('GET', exports[0].download);
  expect([refused.status, refused.body.errors]).toEqual([400, [expect.objectContaining({ pointer: '/query/reason' })]]);
  expect(await acts('tenant_exports.download')).toEqual([]);
  const answer = await act('GET', `${exports[0].download}?reason=a+subpoena`);
  expect([answer.status, answer.text]).toEqual([200, 'x']);
  const [done, asked] = await acts('tenant_exports.download');
  expect([done, asked]).toMatchObject([
    { reason: 'a subpoena', details: { export: id, outcome: 'done' } },
    { reason: 'a subpoena', details: { export: id, outcome: 'asked' } },
  ]);
  expect(done.details.order).toBe(asked.details.order);
  const log = await api.send('GET', '/v1/audit?event=tenant.export_downloaded', { key: tenant.key });
  expect(log.body.records).toMatchObject([
    { actor: { kind: 'operator' }, details: { export: id, reason: 'a subpoena' } },
  ]);
});

test('the tenant’s own list leads to its own API', async () => {
  const id = await newExport(api, tenant);
  const key = await api.tokenOf(tenant, tenant.ownerId);
  const { exports } = (await api.send('GET', '/v1/tenant/exports', { key })).body;
  expect(exports[0].download).toBe(`/v1/tenant/exports/${id}/content`);
  expect((await api.send('GET', exports[0].download, { key })).status).toBe(200);
});

test('one that is not ready is refused with where operators ask for another, and the log says that nothing was handed out', async () => {
  const made = await act('POST', exportsOf(tenant), { secrets: { kind: 'left_out' }, reason: 'they move' });
  expect(await acts('tenants.export')).toMatchObject([
    { details: { export: made.body.id, outcome: 'done' } },
    { details: { secrets: 'left_out', outcome: 'asked' } },
  ]);
  const refused = await act('GET', `${exportsOf(tenant)}/${made.body.id}/content?reason=too+early`);
  expect([refused.status, refused.body.detail]).toEqual([409, expect.stringContaining(`POST ${exportsOf(tenant)}.`)]);
  const [failed] = await acts('tenant_exports.download');
  expect(failed.details).toMatchObject({ outcome: 'failed', failure: 'conflict' });
});
