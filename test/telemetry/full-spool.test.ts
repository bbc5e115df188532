import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { callRaw } from '#libs/journey';
import { until } from '#libs/testing';
import { Client } from 'pg';
import { ObservedPlatform, type ObservedTenant } from './observed-platform.fixture.js';

/** The audit log takes nothing for a while, as a database does whose disk is full or which is just starting. */
const ROOM = 20;
let platform: ObservedPlatform;
let tenant: ObservedTenant;
let owner: Client;

beforeAll(async () => {
  platform = await ObservedPlatform.start({ WHARF_SPOOL_ENTRIES_MAX: String(ROOM) });
  tenant = await platform.openTenant('spooled');
  owner = new Client({ connectionString: platform.wharf.databaseUrl });
  await owner.connect();
  await owner.query(`create function take_nothing() returns trigger language plpgsql as $$
    begin raise exception 'starting up' using errcode = '57P03'; end $$`);
});

afterAll(async () => {
  await owner?.end();
  await platform?.stop();
});

async function manage(method: string, path: string, body?: object) {
  const answer = await fetch(`${platform.wharf.url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${tenant.apiKey.text}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: answer.status, body: JSON.parse(await answer.text()) };
}

const call = (item: string) =>
  callRaw({
    url: tenant.url,
    bearer: tenant.apiKey.text,
    method: 'tools/call',
    params: { name: 'find', arguments: { item } },
  });

test('while nothing can be recorded management refuses, calls go on while they have room and then refuse, and the gap is marked', async () => {
  expect((await call('before')).status).toBe(200);
  await owner.query(
    `create trigger take_nothing before insert on audit_records for each statement execute function take_nothing()`,
  );
  const refusedChange = await manage('POST', '/v1/servers', { slug: 'unrecorded', name: 'Unrecorded' });
  expect(refusedChange.status).toBe(503);
  let answered = 0;
  const refused = await until(async () => {
    const answer = await call(`meanwhile-${answered}`);
    if (answer.status !== 200) return answer;
    answered += 1;
    return undefined;
  });
  expect([refused.status, Number(refused.headers.get('retry-after'))]).toEqual([503, expect.any(Number)]);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(answered).toBeGreaterThan(0);
  expect(answered).toBeLessThanOrEqual(ROOM);
  await owner.query(`drop trigger take_nothing on audit_records`);
  const { servers } = (await manage('GET', '/v1/servers')).body;
  expect(servers.map(({ slug }: { slug: string }) => slug)).toEqual(['shop']);
  await until(async () => ((await call('after')).status === 200 ? true : undefined));
  const gap = await until(async () => (await manage('GET', '/v1/audit?event=audit.gap')).body.records[0]);
  expect(gap).toMatchObject({ outcome: 'ok', actor: { kind: 'system', id: 'gateway' } });
  expect(gap.details.calls_refused).toBeGreaterThan(0);
  expect(Date.parse(gap.details.until)).toBeGreaterThan(Date.parse(gap.at));
  // Every call that was answered stands in the log: the first, those meanwhile, and the one after.
  const logged = await until(async () => {
    const { records } = (await manage('GET', '/v1/audit?event=call.completed&method=tools/call&limit=200')).body;
    return records.length >= answered + 2 ? records : undefined;
  });
  expect(logged).toHaveLength(answered + 2);
});
