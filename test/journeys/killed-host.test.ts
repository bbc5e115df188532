import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { callRaw, startUpstream, type Upstream } from '#libs/journey';
import { startWharf, until, type Wharf } from '#libs/testing';
import { openTestShop, type TestShop } from './shop.js';

/** An operator ends all that runs on a worker host at once. */
let wharf: Wharf;
let upstream: Upstream;
let shops: TestShop[];

beforeAll(async () => {
  [wharf, upstream] = await Promise.all([startWharf(), startUpstream()]);
  shops = [await openTestShop(wharf, upstream, 'near'), await openTestShop(wharf, upstream, 'far')];
});
afterAll(async () => {
  await Promise.all([wharf?.stop(), upstream?.stop()]);
});

// Tests look into answers freely.
// oxlint-disable-next-line typescript/no-explicit-any
type Answered = any;

async function operate(method: string, path: string, body?: object): Promise<{ status: number; body: Answered }> {
  const answer = await fetch(`${wharf.url}/admin/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${wharf.operatorKey}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: answer.status, body: await answer.json() };
}

const call = ({ serverUrl, apiKey }: TestShop) =>
  callRaw({ url: serverUrl, bearer: apiKey.text, method: 'tools/list' }).then(({ status }) => status);

const told = async ({ apiKey }: TestShop): Promise<Answered> => {
  const answer = await fetch(`${wharf.url}/v1/audit?event=tenant.workers_stopped`, {
    headers: { authorization: `Bearer ${apiKey.text}` },
  });
  const { records }: Answered = await answer.json();
  return records;
};

test('all workers of a host end at once, each tenant’s log says so without the operator’s reason, and the next call works', async () => {
  expect(await Promise.all(shops.map(call))).toEqual([200, 200]);
  const before = (await operate('GET', '/runtimes')).body.runtimes;
  expect(before).toMatchObject([{ state: 'taking', tenants: 2, pools: [{ wanted: expect.any(Number) }] }]);
  const killed = await operate('POST', `/runtimes/${before[0].mark}/kill`, { reason: 'CANARY: near mines coins' });
  expect(killed).toMatchObject({
    status: 200,
    body: { runtime: { state: 'drained', workers: 0 }, ended: { workers: before[0].workers, tenants: 2 } },
  });
  for (const shop of shops) {
    const records = await until(async () => ((await told(shop)).length > 0 ? told(shop) : undefined), 'the log has it');
    expect(records).toMatchObject([{ actor: { kind: 'operator' }, outcome: 'ok' }]);
    expect(JSON.stringify(records)).not.toContain('CANARY');
  }
  const { actions } = (await operate('GET', '/actions?action=runtimes.kill')).body;
  expect(actions).toMatchObject([
    { reason: 'CANARY: near mines coins', details: { outcome: 'done', workers: before[0].workers } },
    { reason: 'CANARY: near mines coins', details: { outcome: 'asked' } },
  ]);
  expect(actions[0].details.tenants).toHaveLength(2);
  // It is the only one, so it serves on.
  expect(await Promise.all(shops.map(call))).toEqual([200, 200]);
  const resumed = await operate('POST', `/runtimes/${before[0].mark}/resume`, { reason: 'well again' });
  expect(resumed.body.runtime).toMatchObject({ state: 'taking', tenants: 2 });
});
