import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { callRaw, startUpstream, type RawAnswer, type Upstream } from '#libs/journey';
import { emptyDatabase, startWharf, until, type TestDatabase, type Wharf } from '#libs/testing';
import { Client } from 'pg';
import { openTestShop, type TestShop } from './shop.js';

/** A tenant is called all the while that it is moved into a database of its own and back, and so is one beside it. */
const CALLERS = 3;
let own: TestDatabase;
let wharf: Wharf;
let upstream: Upstream;
let mine: TestShop;
let beside: TestShop;

beforeAll(async () => {
  [own, upstream] = await Promise.all([emptyDatabase(), startUpstream()]);
  wharf = await startWharf({ environment: { WHARF_DEDICATED_DATABASES: `own=${own.databaseUrl}` } });
  [mine, beside] = [await openTestShop(wharf, upstream, 'moves'), await openTestShop(wharf, upstream, 'stays')];
  const limits = { calls_per_minute: 100_000, concurrent_calls: 20, servers_max: 3, worker_memory_mb: 256 };
  const plan = { ...limits, isolation_tier: 'dedicated', reason: 'a test of it' };
  await operate('PUT', '/admin/v1/plans/apart', plan);
  for (const { slug } of [mine, beside])
    await operate('PUT', `/admin/v1/tenants/${slug}/plan`, { plan: 'apart', reason: 'a test of it' });
}, 240_000);

afterAll(async () => {
  await wharf?.stop();
  await upstream?.stop();
  await own?.drop();
});

/** The answer's JSON; the test looks into it freely. */
// oxlint-disable-next-line typescript/no-explicit-any
async function operate(method: string, where: string, body?: object): Promise<any> {
  const response = await fetch(`${wharf.url}${where}`, {
    method,
    headers: { authorization: `Bearer ${wharf.operatorKey}`, 'content-type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${method} ${where}: ${response.status} ${await response.text()}`);
  return response.json();
}

const isDone = ({ message }: RawAnswer): boolean => message?.result !== undefined && message.result['isError'] !== true;

/** Calls a shop until it is stopped, from several agents at once; keeps what was answered otherwise than with a result. */
function callOn({ serverUrl, apiKey }: TestShop) {
  const stopping = new AbortController();
  const refused: RawAnswer[] = [];
  let done = 0;
  const call = () =>
    callRaw({
      url: serverUrl,
      bearer: apiKey.text,
      method: 'tools/call',
      params: { name: 'listBooks', arguments: { limit: 1 } },
    });
  const caller = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const answer = await call();
      if (isDone(answer)) done += 1;
      else refused.push(answer);
      // As agents do; the pace says nothing of what is expected.
      await setTimeout(isDone(answer) ? 5 : 50);
    }
  };
  const calling = Promise.all(Array.from({ length: CALLERS }, caller));
  return {
    get done() {
      return done;
    },
    refused,
    async stop(): Promise<void> {
      stopping.abort();
      await calling;
    },
  };
}

async function loggedCalls(databaseUrl: string, slug: string): Promise<number> {
  const owner = new Client({ connectionString: databaseUrl });
  await owner.connect();
  try {
    const { rows } = await owner.query<{ calls: number }>(
      `select count(distinct r.id)::int as calls from tenants t join
         (select tenant_id, id, event, outcome, details from audit_records union all select tenant_id, id, event, outcome, details from audit_log) r
           on r.tenant_id = t.id
       where t.slug = $1 and r.event = 'call.completed' and r.outcome = 'ok' and r.details ->> 'method' = 'tools/call'`,
      [slug],
    );
    return rows[0]?.calls ?? 0;
  } finally {
    await owner.end();
  }
}

async function moveTo(database: 'own' | 'common', calls: ReturnType<typeof callOn>): Promise<void> {
  const where = `/admin/v1/tenants/${mine.slug}/home`;
  await operate('PUT', where, { database, reason: 'a test of it' });
  const isOver = async () => (await operate('GET', where)).last_move.state === 'done';
  await until(isOver, `the move to ${database}`);
  const before = calls.done;
  await until(() => calls.done > before + CALLERS, `calls in ${database}`);
}

test('a call is answered or told when to come again, there and back, and each that was answered is in the log once', async () => {
  const calls = callOn(mine);
  const others = callOn(beside);
  await until(
    () => calls.refused[0] !== undefined || (calls.done > CALLERS && others.done > CALLERS),
    'calls before the first move',
  );
  expect(calls.refused.map(({ status, message }) => ({ status, message }))).toEqual([]);
  for (const database of ['own', 'common'] as const) await moveTo(database, calls);
  await Promise.all([calls.stop(), others.stop()]);
  // Whoever was turned away was told so, and when it is worth to try again.
  const unclear = calls.refused.filter(
    ({ status, headers }) => status !== 503 || !(Number(headers.get('retry-after')) > 0),
  );
  expect(unclear.map(({ status, message }) => ({ status, message }))).toEqual([]);
  expect(others.refused.map(({ status, message }) => ({ status, message }))).toEqual([]);
  for (const [shop, made] of [
    [mine, calls.done],
    [beside, others.done],
  ] as const) {
    await until(async () => (await loggedCalls(wharf.databaseUrl, shop.slug)) >= made, `the log of ${shop.slug}`);
    expect(await loggedCalls(wharf.databaseUrl, shop.slug)).toBe(made);
  }
  process.stderr.write(`${JSON.stringify({ done: calls.done, refused: calls.refused.length })}\n`);
}, 600_000);
