import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startControlPlane, type ControlPlane, type TestTenant } from '../testing/control-plane.fixture.js';
import { withSession } from '../testing/sessions.fixture.js';

let api: ControlPlane;
let tenant: TestTenant;

beforeAll(async () => {
  api = await startControlPlane();
  tenant = await api.newTenant();
  await withSession(api, await api.newTenant());
});

afterAll(() => api?.stop());

test('pages bring every session of the tenant once while others begin and end', async () => {
  const ids: string[] = [];
  for (let more = 0; more < 6; more += 1) ids.push(await withSession(api, tenant));
  const path = `/admin/v1/tenants/${tenant.slug}/sessions`;
  const key = api.operatorKey;
  const seen: string[] = [];
  let cursor = '';
  do {
    const { body } = await api.send('GET', `${path}?limit=2${cursor}`, { key });
    seen.push(...body.sessions.map(({ id }: { id: string }) => id));
    if (cursor === '') {
      // One that was shown ends, and three begin before it: each moves what an offset counts.
      const ended = await api.send('DELETE', `${path}/${seen[0]}?reason=a%20test`, { key });
      expect(ended.status).toBe(204);
      for (let more = 0; more < 3; more += 1) await withSession(api, tenant);
    }
    cursor = body.next_cursor === null ? '' : `&cursor=${body.next_cursor}`;
  } while (cursor !== '');
  expect(seen.toSorted()).toEqual(ids.toSorted());
});
