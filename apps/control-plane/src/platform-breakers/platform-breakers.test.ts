import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startControlPlane, type ControlPlane, type TestTenant } from '../testing/control-plane.fixture.js';
import { serverCalling } from '../testing/live-release.fixture.js';

const [ORIGIN, FOREIGN] = ['https://api.example.com', 'https://canary-b.example.com'];

let api: ControlPlane;
let tenant: TestTenant;
let other: TestTenant;

beforeAll(async () => {
  api = await startControlPlane({ runtime: true });
  [tenant, other] = [await api.newTenant(), await api.newTenant()];
  await serverCalling(api, tenant, 'orders', [`${ORIGIN}/v1`]);
  await serverCalling(api, other, 'orders', [FOREIGN]);
});

afterAll(() => api?.stop());

const act = (method: string, path: string, body?: unknown) =>
  api.send(method, `/admin/v1/tenants/${tenant.slug}/breakers${path}`, {
    key: api.operatorKey,
    ...(body === undefined ? {} : { body }),
  });
const recorded = async (): Promise<string[]> => {
  const { body } = await api.send('GET', '/v1/audit?event=breaker.ordered', { key: tenant.key });
  return body.records.map(({ details }: { details: { reason: string } }) => details.reason);
};

test('a breaker is held open until a time, and begins anew, as both records say', async () => {
  expect((await act('POST', '/open', { origin: ORIGIN, minutes: 30, reason: 'their wish' })).status).toBe(200);
  const { body } = await act('GET', '');
  expect(body.breakers).toMatchObject([{ origin: ORIGIN, state: 'held-open', order: { reason: 'their wish' } }]);
  await act('POST', '/reset', { origin: ORIGIN, reason: 'well again' });
  expect((await act('GET', '')).body.breakers).toMatchObject([{ origin: ORIGIN, state: 'closed' }]);
  expect(await recorded()).toEqual(['well again', 'their wish']);
  for (const bad of ['api.example.com', 'https://api.example.com/path', 'ftp://x.example'])
    expect((await act('POST', '/reset', { origin: bad, reason: 'r' })).status).toBe(400);
});

test.each(['https://api.exmaple.com', FOREIGN])(
  'an upstream that the tenant does not have is refused with those it has, and nothing is held or written: %s',
  async (origin) => {
    const before = [await recorded(), (await act('GET', '')).body.breakers];
    for (const [path, more] of [
      ['/open', { minutes: 5 }],
      ['/reset', {}],
    ] as const) {
      const { status, body } = await act('POST', path, { origin, reason: 'typo', ...more });
      expect([status, body.detail, body.errors]).toEqual([
        422,
        `No server of this tenant calls ${origin}. Theirs are ${ORIGIN}.`,
        [{ pointer: '/origin', message: 'not an upstream of this tenant' }],
      ]);
    }
    expect([await recorded(), (await act('GET', '')).body.breakers]).toEqual(before);
    const { body } = await api.send('GET', `/admin/v1/actions?action=breakers&tenant_id=${tenant.id}&q=typo`, {
      key: api.operatorKey,
    });
    expect(body.actions).toEqual([]);
  },
);

test('a tenant that calls nothing is said to call nothing', async () => {
  const { slug } = await api.newTenant();
  const { status, body } = await api.send('POST', `/admin/v1/tenants/${slug}/breakers/reset`, {
    key: api.operatorKey,
    body: { origin: ORIGIN, reason: 'r' },
  });
  expect([status, body.detail]).toEqual([422, `No server of this tenant calls ${ORIGIN}. They call none.`]);
});

test('what is held open is let go, also when no release names it any more', async () => {
  const changed = await api.newTenant();
  await serverCalling(api, changed, 'orders', [ORIGIN]);
  const order = (path: string, more: object) =>
    api.send('POST', `/admin/v1/tenants/${changed.slug}/breakers/${path}`, {
      key: api.operatorKey,
      body: { origin: ORIGIN, reason: 'r', ...more },
    });
  expect((await order('open', { minutes: 30 })).status).toBe(200);
  expect((await api.send('DELETE', '/v1/servers/orders', { key: changed.key })).status).toBeLessThan(300);
  expect((await order('reset', {})).body.order).toMatchObject({ open_until: null });
});

test('while no runtime can be asked what is called, an operator’s word is taken', async () => {
  const alone = await startControlPlane();
  try {
    const { slug } = await alone.newTenant();
    const { status, body } = await alone.send('POST', `/admin/v1/tenants/${slug}/breakers/open`, {
      key: alone.operatorKey,
      body: { origin: ORIGIN, minutes: 5, reason: 'the runtimes are in trouble' },
    });
    expect([status, body.origin]).toEqual([200, ORIGIN]);
  } finally {
    await alone.stop();
  }
});
