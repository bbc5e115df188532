import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newId } from '#libs/database';
import { until } from '#libs/testing';
import { Client } from 'pg';
import { GatewayUnderTest, type TenantUnderTest } from '../gateway.fixture.js';
import { INITIALIZE, legacy, modern, send, type Answer } from '../requests.fixture.js';

let gateway: GatewayUnderTest;
let owner: Client;
let acme: TenantUnderTest;

beforeAll(async () => {
  gateway = await GatewayUnderTest.start();
  owner = new Client({ connectionString: gateway.store.databaseUrl });
  await owner.connect();
  acme = await gateway.tenant('acme', { find: 'https://api.example.com/find' });
  await gateway.publish(acme.id, 'payroll', { pay: 'https://api.example.com/pay' });
});

afterAll(async () => {
  await owner?.end();
  await gateway?.stop();
});

async function member(groups: string[] = []): Promise<string> {
  const id = newId();
  await owner.query(`insert into accounts (id, email, password_hash) values ($1, $2, 'x')`, [id, `${id}@example.com`]);
  await owner.query(`insert into members (tenant_id, account_id, role, groups) values ($1, $2, 'user', $3)`, [
    acme.id,
    id,
    groups,
  ]);
  return id;
}

/** Opens payroll to one group and one member alone. */
async function restrict(account: string): Promise<void> {
  await owner.query(`delete from server_people where tenant_id = $1`, [acme.id]);
  await owner.query(
    `with s as (update servers set people = 'named' where tenant_id = $1 and slug = 'payroll' returning id)
     insert into server_people (tenant_id, server_id, kind, who)
     select $1, id, kind, who from s, (values ('group', 'hr'), ('member', $2)) as w (kind, who)`,
    [acme.id, account],
  );
}

function call(url: string, bearer: string): Promise<Answer> {
  const { headers, body } = modern('tools/list');
  return send(url, { headers: { ...headers, authorization: `Bearer ${bearer}` }, body });
}

const payroll = (): string => acme.serverUrl.replace('orders', 'payroll');
const tokenOf = (sub: string, url: string): Promise<string> => gateway.token(acme, url, { sub });

/** Asks until the answer is as wanted: the gateway hears of a change a moment after it. */
function answered(ask: () => Promise<Answer>, wanted: (answer: Answer) => boolean): Promise<Answer> {
  return until(async () => {
    const answer = await ask();
    return wanted(answer) && answer;
  }, 'the answer that is wanted');
}

test('a server that is open to some is closed to everybody else, also with tokens from before', async () => {
  const [named, grouped, other] = [await member(), await member(['hr', 'crew']), await member(['crew'])];
  const tokens = await Promise.all([named, grouped, other].map((sub) => tokenOf(sub, payroll())));
  for (const token of tokens) expect((await call(payroll(), token)).status).toBe(200);
  await restrict(named);
  const refused = await answered(
    () => call(payroll(), tokens[2] ?? ''),
    ({ status }) => status !== 200,
  );
  expect([refused.status, refused.text]).toEqual([403, expect.stringContaining('payroll')]);
  for (const token of tokens.slice(0, 2)) expect((await call(payroll(), token)).status).toBe(200);
  expect((await call(payroll(), acme.key)).status).toBe(200);
});

test('at the tenant’s own URL the servers that are closed to a person are not there', async () => {
  const [named, other] = [await member(), await member()];
  await restrict(named);
  const [hers, his] = [await tokenOf(named, acme.url), await tokenOf(other, acme.url)];
  const seen = await answered(
    () => call(acme.url, hers),
    ({ text }) => text.includes('payroll__pay'),
  );
  expect(seen.text).toContain('orders__find');
  const without = await call(acme.url, his);
  expect([without.status, without.text.includes('orders__find'), without.text.includes('payroll')]).toEqual([
    200,
    true,
    false,
  ]);
});

test('who leaves the group loses the server within the session, and the next session is without it', async () => {
  const account = await member(['hr']);
  await restrict(newId());
  const token = await tokenOf(account, acme.url);
  const as = { authorization: `Bearer ${token}` };
  const opened = legacy(INITIALIZE);
  const session = await send(acme.url, { ...opened, headers: { ...opened.headers, ...as } });
  const inside = legacy({ id: 2, method: 'tools/list' }, String(session.headers['mcp-session-id']));
  const list = () => send(acme.url, { ...inside, headers: { ...inside.headers, ...as } });
  expect((await list()).text).toContain('payroll__pay');
  await owner.query(`update members set groups = '{}' where tenant_id = $1 and account_id = $2`, [acme.id, account]);
  expect((await answered(list, ({ status }) => status !== 200)).status).toBe(404);
  expect((await call(acme.url, token)).text).not.toContain('payroll');
});
