import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Client } from 'pg';
import { until } from '#libs/testing';
import { startControlPlane, type ControlPlane } from '../testing/control-plane.fixture.js';
import { startRuntime } from '../testing/runtime.fixture.js';

let api: ControlPlane;
let runtimes: Array<Awaited<ReturnType<typeof startRuntime>>>;
let owner: Client;

beforeAll(async () => {
  const key = 'k'.repeat(43);
  runtimes = [await startRuntime(key), await startRuntime(key)];
  const sockets = runtimes.map(({ socket }) => socket).join(',');
  api = await startControlPlane({ environment: { WHARF_RUNTIME_SOCKETS: sockets } });
  owner = await api.connectOwner();
});

afterAll(async () => {
  await api?.stop();
  await Promise.all(runtimes.map((runtime) => runtime.stop()));
});

const act = (method: string, path: string, body?: unknown) =>
  api.send(method, `/admin/v1/runtimes${path}`, { key: api.operatorKey, ...(body === undefined ? {} : { body }) });

async function marks(): Promise<string[]> {
  const taking = async (): Promise<Array<{ mark: string; state: string }>> => (await act('GET', '')).body.runtimes;
  await until(async () => (await taking()).filter(({ state }) => state === 'taking').length === 2, 'both take work');
  return (await taking()).map(({ mark }) => mark);
}

const drain = (mark: string) => act('POST', `/${mark}/drain`, { within_seconds: 5, reason: 'kernel' });

test('of two operators who drain the last two runtimes at once, one is told that theirs is the last', async () => {
  for (let round = 0; round < 12; round += 1) {
    const both = await marks();
    const answers = await Promise.all(both.map(drain));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 409]);
    await Promise.all(both.map((mark) => act('POST', `/${mark}/resume`, { reason: 'done' })));
  }
});

test('a turn of a process that ended is over with its time', async () => {
  await owner.query(
    `insert into operator_turns (name, holder, until) values ('runtimes.drain', gen_random_uuid(), now() - interval '1 second')`,
  );
  const [first = ''] = await marks();
  expect((await drain(first)).status).toBe(200);
  await act('POST', `/${first}/resume`, { reason: 'done' });
  expect((await owner.query(`select from operator_turns`)).rowCount).toBe(0);
});
