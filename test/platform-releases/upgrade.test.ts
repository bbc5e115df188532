import { rmSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { runJourney } from '#libs/journey';
import { until } from '#libs/testing';
import { CONTRACTS } from '../../migrations/contracts.js';
import { startBalancer, type Replicas } from './balancer.fixture.js';
import { breaksOf } from './breaks.js';
import { openFilledTenant, type FilledTenant } from './filled-tenant.fixture.js';
import { buildLastRelease, lastRelease } from './last-release.fixture.js';
import { metricOf, ReleasesStage, type Built, type Running } from './releases-stage.fixture.js';
import { readCatalogue, type SchemaCatalogue } from './schema-catalogue.js';

const NEW: Built = path.resolve('.');
/** Generous: ten services start, and machines of CI are shared. */
const JOURNEY_MS = 900_000;

let old: Built;
let stage: ReleasesStage;
let tenant: FilledTenant | undefined;
let before: SchemaCatalogue;

beforeAll(async () => {
  old = await buildLastRelease();
  stage = await ReleasesStage.open();
  await stage.migrate(old);
  before = await readCatalogue(stage.databaseUrl);
}, JOURNEY_MS);

afterAll(async () => {
  await tenant?.close();
  await stage?.close();
  if (old !== undefined) rmSync(old, { recursive: true, force: true });
});

/** Services that run side by side, in the order of their releases. */
interface SideBySide extends Replicas {
  readonly runtimes: readonly Running[];
  readonly background: readonly Running[];
  /** How many requests each service behind the public URL has answered. */
  readonly answered: ReadonlyMap<number, number>;
}

/** Starts services of releases, behind the public URL; `work` meets them all. */
async function withReplicas(
  releases: readonly Built[],
  work: (running: SideBySide) => Promise<unknown>,
): Promise<void> {
  const sockets = releases.map(() => stage.newSocket());
  const running: Running[] = [];
  const each = async (name: string): Promise<Running[]> => {
    const started = await Promise.all(
      releases.map((release, index) =>
        stage.start(release, name, name === 'worker-runtime' ? sockets.slice(index, index + 1) : sockets),
      ),
    );
    running.unshift(...started);
    return started;
  };
  try {
    const runtimes = await each('worker-runtime');
    const [auth, control, gateway] = [await each('auth-server'), await each('control-plane'), await each('gateway')];
    const background = await each('background');
    const balancer = await startBalancer(stage.port, { auth, control, gateway });
    const { answered } = balancer;
    await work({ runtimes, auth, control, gateway, background, answered }).finally(() => balancer.close());
  } finally {
    await Promise.all(running.map((one) => one.stop()));
  }
}

/** What each worker-runtime holds of workers that are bound, and what each background has done of jobs. */
async function workOf({ runtimes, background }: SideBySide): Promise<{ workers: number[]; jobs: number[] }> {
  return {
    workers: await Promise.all(runtimes.map((one) => metricOf(one, /^wharf_workers[{ ]/))),
    jobs: await Promise.all(background.map((one) => metricOf(one, /^wharf_job_run_seconds_count\{.*outcome="done"/))),
  };
}

test(
  'the last release fills a database, goes on while it is migrated beneath its calls, and its journey comes out after that',
  async () => {
    await withReplicas([old], async () => {
      tenant = await openFilledTenant(stage.url, stage.operatorKey);
      expect(await stage.demo(old)).toMatch(/All \d+ steps came out as promised/);
      const calls = tenant.callOn(4, 10);
      await until(() => calls.answers.length > 0, 'a first call on the old schema');
      await stage.migrateUnderReaders(NEW);
      const before = calls.answers.length;
      await until(() => calls.answers.length > before + 10, 'calls on the new schema');
      const answers = await calls.stop();
      expect(stage.failuresAmong(answers)).toEqual([]);
      expect(await stage.demo(old)).toMatch(/All \d+ steps came out as promised/);
      process.stdout.write(`  migrated under ${answers.length} calls, 0 failed\n`);
    });
  },
  JOURNEY_MS,
);

test('the schema keeps whatever the last release may use', async () => {
  const after = await readCatalogue(stage.databaseUrl);
  expect(breaksOf(before, after, { contracts: CONTRACTS, lastVersion: lastRelease().version })).toEqual([]);
});

test('the last release goes on where a newer one has migrated, and changes nothing there', async () => {
  expect(await stage.migrate(old)).toContain('The schema is up to date.');
  const after = await readCatalogue(stage.databaseUrl);
  expect(after.columns.size).toBeGreaterThan(before.columns.size);
});

/** A route goes to one of the runtimes and a job to one of the backgrounds by chance; so many releases miss neither. */
const RELEASES_MAX = 16;

test(
  'both releases of every service work side by side, for agents of both eras and both releases’ journeys',
  async () => {
    await withReplicas([old, NEW], async (both) => {
      const calls = tenant?.callOn();
      const steps: string[] = [];
      const report = (step: string): void => void steps.push(step);
      await runJourney({ publicUrl: stage.url, operatorKey: stage.operatorKey, report });
      expect(steps.length).toBeGreaterThan(10);
      expect(await stage.demo(old)).toMatch(/All \d+ steps came out as promised/);
      let work = await workOf(both);
      for (let more = 0; more < RELEASES_MAX && [...work.workers, ...work.jobs].includes(0); more += 1) {
        await tenant?.publishAnother();
        work = await workOf(both);
      }
      // Of the tenant whom the last release has made.
      const answers = (await calls?.stop()) ?? [];
      const requests = [...both.auth, ...both.control, ...both.gateway].map(({ port }) => both.answered.get(port) ?? 0);
      process.stdout.write(`  side by side, last release and this one: ${JSON.stringify({ requests, ...work })}\n`);
      for (const count of requests) expect(count).toBeGreaterThan(10);
      for (const count of [...work.workers, ...work.jobs]) expect(count).toBeGreaterThan(0);
      expect(answers.length).toBeGreaterThan(10);
      expect(stage.failuresAmong(answers)).toEqual([]);
    });
    const { rows, unreadable } = await countRows();
    expect([rows > 0, unreadable]).toEqual([true, 0]);
  },
  JOURNEY_MS,
);

/** How many rows of sign-ins and tokens there are, and how many of them the last release cannot read. */
async function countRows(): Promise<{ rows: number; unreadable: number }> {
  const client = new Client({ connectionString: stage.databaseUrl });
  await client.connect();
  const { rows } = await client.query<{ rows: number; unreadable: number }>(
    `select count(*)::integer as rows, (count(*) filter (where payload ->> 'sealed' like '2.%'))::integer as unreadable
     from oauth_artifacts where model in ('Session', 'AuthorizationCode', 'RefreshToken', 'EndedInteraction')`,
  );
  await client.end();
  return rows[0] ?? { rows: 0, unreadable: 0 };
}
