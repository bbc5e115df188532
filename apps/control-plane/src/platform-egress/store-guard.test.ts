import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Database } from '#libs/database';
import { createLogger } from '#libs/telemetry';
import { settleTenant, until } from '#libs/testing';
import { Secret } from '#libs/config';
import { startControlPlane, type ControlPlane, type TestTenant } from '../testing/control-plane.fixture.js';
import { StoreGuard } from './store-guard.js';

let api: ControlPlane;
let operators: Database;

beforeAll(async () => {
  api = await startControlPlane({ dedicated: true });
  operators = await Database.connect({
    databaseUrl: api.databaseUrl,
    masterKey: api.masterKey,
    role: 'wharf_operator',
    dedicated: { databases: new Map([['own', new Secret(api.ownDatabaseUrl)]]), poolsMax: 2 },
  });
});

afterAll(async () => {
  await operators?.close();
  await api?.stop();
});

const path = ({ slug }: TestTenant): string => `/admin/v1/tenants/${slug}/egress-allowances`;
async function open(tenant: TestTenant, allowance: object): Promise<string> {
  const body = { reason: 'its own network', ...allowance };
  const answer = await api.send('POST', path(tenant), { key: api.operatorKey, body });
  if (answer.status !== 201) throw new Error(answer.text);
  return answer.body.egress_allowance.id;
}
const left = async (tenant: TestTenant): Promise<string[]> => {
  const { body } = await api.send('GET', path(tenant), { key: api.operatorKey });
  return body.egress_allowances.map(({ id }: { id: string }) => id);
};

test('what comes to lead to a store that has moved is withdrawn, wherever its tenant is at home, and nothing else is', async () => {
  const [tenant, away] = [await api.newTenant(), await api.newTenant()];
  const gone = [
    await open(tenant, { range: '10.20.0.0/16', port: 5_432 }),
    await open(tenant, { host: '10.20.0.7', port: 5_432 }),
    await open(tenant, { host: 'localhost', port: 7_000 }),
  ];
  const kept = [
    await open(tenant, { range: '10.20.0.0/16', port: 443 }),
    await open(tenant, { range: '10.21.0.0/16', port: 5_432 }),
    await open(tenant, { host: '10.20.0.8', port: 5_432 }),
  ];
  const ofOther = await open(away, { range: '10.0.0.0/8', port: 5_432 });
  await settleTenant(api.databaseUrl, api.ownDatabaseUrl, away.id);
  const moved = {
    DATABASE_URL: 'postgres://u@10.20.0.7/wharf',
    REDIS_URL: 'redis://127.0.0.1:7000',
    WHARF_DEDICATED_DATABASES: new Map<string, Secret>(),
  };
  const logger = createLogger('test', 'silent');
  const guard = new StoreGuard(operators, moved, logger);
  let withdrawn = 0;
  // A database that has just come into use is asked within seconds.
  await until(async () => (withdrawn += await guard.withdraw(2)) >= 4, 'both homes are asked');
  expect([withdrawn, await guard.withdraw()]).toEqual([4, 0]);
  expect([await left(tenant), await left(away)]).toEqual([kept.toSorted(), []]);
  for (const [of, ids] of [
    [tenant, gone],
    [away, [ofOther]],
  ] as const) {
    const { body } = await api.send('GET', '/v1/audit?event=egress_allowance.removed', { key: of.key });
    expect(body.records.map(({ target }: { target: string }) => target).toSorted()).toEqual(
      ids.map((id) => `egress_allowance:${id}`).toSorted(),
    );
    expect(body.records[0]).toMatchObject({
      actor: { kind: 'system' },
      details: { reason: 'the platform does not allow where it leads now' },
    });
  }
  // Where our stores are is for the platform's log.
  const acts = await api.send('GET', `/admin/v1/actions?action=egress_allowances.remove&tenant_id=${away.id}`, {
    key: api.operatorKey,
  });
  expect(acts.body.actions).toMatchObject([
    { reason: expect.stringContaining('of the platform itself'), details: { id: ofOther, outcome: 'done' } },
  ]);
});
