import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Client } from 'pg';
import { Database, newId } from '#libs/database';
import { freePort } from '#libs/embedded';
import { callRaw, signUp } from '#libs/journey';
import { TEST_MASTER_KEY, testDatabase } from '#libs/testing';
import { startBalancer } from './balancer.fixture.js';
import { setTimeout as pause } from 'node:timers/promises';
import { RawSession } from './raw-session.fixture.js';
import { holdServer } from './held-server.fixture.js';
import { KillableRedis, startService, type Killable } from './processes.fixture.js';
import { RolloutShop } from './shop.fixture.js';
import { startCounter } from './counter.fixture.js';
import { releaseIn } from './traffic.fixture.js';

/** How long both gateways may take at most before a test gives up on them. */
const SERVED_MS = 60_000;
const INTAKE_KEY = 'an intake key for tests of 32 characters and more';

/** The platform as one process for each service, with two gateways behind a balancer, each of which can be killed. */
export async function openStage() {
  const folder = mkdtempSync(path.join(tmpdir(), 'wharf-rollouts-'));
  const [store, redis, counter, port] = await Promise.all([
    testDatabase(),
    KillableRedis.open(folder),
    startCounter(),
    freePort(),
  ]);
  const socket = path.join(folder, 'runtime.sock');
  const url = `http://localhost:${port}`;
  const shared = { WHARF_INTAKE_KEY: INTAKE_KEY, WHARF_RUNTIME_SOCKETS: socket };
  const environment = {
    ...shared,
    DATABASE_URL: store.databaseUrl,
    REDIS_URL: redis.url,
    WHARF_MASTER_KEY: TEST_MASTER_KEY.reveal(),
    WHARF_PUBLIC_URL: url,
    WHARF_SIGNUPS_PER_HOUR: '1000',
    WHARF_MANAGEMENT_CALLS_PER_MINUTE: '100000',
  };
  const runtime = await startService('worker-runtime', { ...shared, WHARF_WARM_WORKERS: '2' });
  const inFolder = (name: string) => ({ ...environment, WHARF_DATA_DIR: path.join(folder, name) });
  const [control, first, second, background] = await Promise.all([
    startService('control-plane', inFolder('control')),
    startService('gateway', inFolder('gateway-1')),
    startService('gateway', inFolder('gateway-2')),
    startService('background', inFolder('background')),
  ]);
  const balancer = await startBalancer(port, control, [first, second]);
  const operators = await Database.connect({ ...store, role: 'wharf_operator', poolSize: 2 });

  /** A shop's own URL at each gateway. */
  const doorsOf = (shop: RolloutShop): string[] =>
    [first, second].map(({ port: at }) => shop.serverUrl.replace(url, `http://127.0.0.1:${at}`));

  return {
    url,
    counter,
    redis,
    background,
    gateways: [first, second] as const,
    /** Keeps a tenant's server from changing. */
    holdServer: (slug: string) => holdServer(store.databaseUrl, slug),

    /** A tenant with the server `shop`, whose first release is live. */
    async newShop(slug: string): Promise<RolloutShop> {
      const owner = { tenantName: slug, slug, email: `owner@${slug}.example`, password: `${slug} correct horse` };
      const { api_key: key } = await signUp(url, owner);
      await operators.asService(async (tx) => {
        const rows: [{ id: string }] = await tx.query(`select id from tenants where slug = $1`, [slug]);
        await tx.query(
          `insert into egress_allowances (tenant_id, id, host, port, reason) values ($1, $2, '127.0.0.1', $3, 'test')`,
          [rows[0].id, newId(), counter.port],
        );
        await tx.query(`update tenants set plan = 'scale' where id = $1`, [rows[0].id]);
      });
      return RolloutShop.open({ url, slug, key: key.text, upstream: counter.url });
    },

    /** Has what a rollout is in begun so many seconds earlier. */
    async passTime(rollout: string, seconds: number): Promise<void> {
      const owner = new Client(store.databaseUrl);
      await owner.connect();
      const began = `step_started_at = step_started_at - make_interval(secs => $2)`;
      await owner.query(`update rollouts set ${began} where id = $1`, [rollout, seconds]);
      await owner.end();
    },

    /** The release that each gateway answers from by itself. */
    async servedBy(shop: RolloutShop): Promise<(string | undefined)[]> {
      const params = { name: 'echo', arguments: { id: newId() } };
      const answers = doorsOf(shop).map((own) => callRaw({ url: own, bearer: shop.key, method: 'tools/call', params }));
      return (await Promise.all(answers)).map(({ message }) => releaseIn(message));
    },

    /** When calls were sent that a release answered through both gateways, and sessions that are over were told so. */
    async untilServedBy(shop: RolloutShop, release: string, over: readonly RawSession[] = []): Promise<number> {
      const until = performance.now() + SERVED_MS;
      for (;;) {
        const sentMs = Date.now();
        const [served, ended] = await Promise.all([this.servedBy(shop), Promise.all(over.map((one) => one.call()))]);
        if (served.every((one) => one === release) && ended.every(({ status }) => status === 404)) return sentMs;
        if (performance.now() > until) throw new Error(`Served by ${served}, sessions ${JSON.stringify(ended)}`);
        await pause(20);
      }
    },

    /** A session of a release at each gateway. */
    sessionsOf(shop: RolloutShop, release: string): Promise<RawSession[]> {
      return Promise.all(doorsOf(shop).map((own) => RawSession.of(release, own, shop.key)));
    },

    /** What both gateways have counted. */
    async metrics(): Promise<string> {
      const pages = [first, second].map(async ({ port: at }) => (await fetch(`http://127.0.0.1:${at}/metrics`)).text());
      return (await Promise.all(pages)).join('\n');
    },

    async close(): Promise<void> {
      await balancer.close();
      const processes: Killable[] = [background, control, first, second, runtime];
      await Promise.all(processes.map((one) => one.kill()));
      await redis.kill();
      await Promise.all([operators.close(), counter.close()]);
      await store.drop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The stage of one test file. */
export type Stage = Awaited<ReturnType<typeof openStage>>;
