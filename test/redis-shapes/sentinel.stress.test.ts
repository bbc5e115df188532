import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { callRaw, connectWithApiKey, startUpstream, type Agent, type Upstream } from '#libs/journey';
import { startSentinels, startWharf, until, type RedisShape, type Wharf } from '#libs/testing';
import { openTestShop, type TestShop } from '../journeys/shop.js';

let redis: RedisShape;
let wharf: Wharf;
let upstream: Upstream;
let shop: TestShop;
let session: Agent;

beforeAll(async () => {
  redis = await startSentinels();
  [wharf, upstream] = await Promise.all([
    startWharf({ environment: { REDIS_URL: redis.url, WHARF_SIGNUPS_PER_HOUR: '10' } }),
    startUpstream(),
  ]);
  const owner = new Client({ connectionString: wharf.databaseUrl });
  await owner.connect();
  await owner.query(`update plans set calls_per_minute = 1000000, sessions_max = 10000, client_sessions_max = 10000`);
  await owner.end();
  shop = await openTestShop(wharf, upstream, 'failover');
  session = await connectWithApiKey({ url: shop.serverUrl, apiKey: shop.apiKey.text });
});
afterAll(async () => {
  await session?.close();
  await Promise.all([wharf?.stop(), upstream?.stop()]);
  await redis?.stop();
});

/** Calls of both eras, each told by how it ended; a session's calls go on with the one that was open before. */
class Traffic {
  readonly ended = new Map<string, number>();
  readonly #over = new AbortController();
  readonly #running: Array<Promise<void>>;

  constructor() {
    const modern = async (): Promise<string> => {
      const params = { name: 'getBook', arguments: { isbn: '9780262046305' } };
      const call = { url: shop.serverUrl, bearer: shop.apiKey.text, method: 'tools/call', params };
      return String((await callRaw(call)).status);
    };
    const legacy = () => session.client.listTools().then(() => '200');
    const initialize = async (): Promise<string> => {
      const agent = await connectWithApiKey({ url: shop.serverUrl, apiKey: shop.apiKey.text });
      await agent.close();
      return '200';
    };
    this.#running = Object.entries({ modern, legacy, initialize }).map(([name, call]) => this.#run(name, call));
  }

  async #run(name: string, call: () => Promise<string>): Promise<void> {
    while (!this.#over.signal.aborted) {
      const how = `${name} ${await call().catch((error: unknown) => `failed: ${String(error).slice(0, 100)}`)}`;
      this.ended.set(how, (this.ended.get(how) ?? 0) + 1);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async end(): Promise<void> {
    this.#over.abort();
    await Promise.all(this.#running);
  }
}

test('a master that is killed is replaced while calls, sessions and new sessions go on', async () => {
  const [master, replica] = redis.nodes;
  const counted = async (): Promise<boolean> =>
    /cmdstat_evalsha:calls=[1-9]/.test((await replica?.client.info('commandstats')) ?? '');
  expect(await counted()).toBe(false);
  const traffic = new Traffic();
  await until(() => (traffic.ended.get('modern 200') ?? 0) > 50, 'calls are answered');
  const killedMs = performance.now();
  await master?.kill();
  await until(counted, 'limits are counted at the new master');
  const seconds = ((performance.now() - killedMs) / 1_000).toFixed(1);
  const before = traffic.ended.get('legacy 200') ?? 0;
  await until(() => (traffic.ended.get('legacy 200') ?? 0) > before + 50, 'the session goes on');
  await traffic.end();
  const select = { operationIds: ['getBook'] };
  const { release } = await shop.api.createRelease('books', { kind: 'openapi', document: upstream.openapi, select });
  await shop.api.publish('books', release.id, 'breaking is meant');
  const counts = [...traffic.ended].map(([how, times]) => `${how}: ${times}`).join('\n  ');
  process.stdout.write(`new master in use after ${seconds} s; calls by how they ended\n  ${counts}\n`);
  expect([...traffic.ended.keys()].filter((how) => !how.endsWith(' 200'))).toEqual([]);
}, 120_000);
