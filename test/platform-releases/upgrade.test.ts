import { rmSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { runJourney } from '#libs/journey';
import { CONTRACTS } from '../../migrations/contracts.js';
import { startBalancer } from './balancer.fixture.js';
import { breaksOf } from './breaks.js';
import { buildLastRelease, lastRelease } from './last-release.fixture.js';
import { ReleasesStage, type Built, type Running } from './releases-stage.fixture.js';
import { readCatalogue, type SchemaCatalogue } from './schema-catalogue.js';

const NEW: Built = path.resolve('.');
/** Generous: ten services start, and machines of CI are shared. */
const JOURNEY_MS = 420_000;

let old: Built;
let stage: ReleasesStage;
let before: SchemaCatalogue;

beforeAll(async () => {
  old = await buildLastRelease();
  stage = await ReleasesStage.open();
  await stage.migrate(old);
  before = await readCatalogue(stage.databaseUrl);
  await stage.migrate(NEW);
}, JOURNEY_MS);

afterAll(async () => {
  await stage?.close();
  if (old !== undefined) rmSync(old, { recursive: true, force: true });
});

/** Starts services of releases, behind the public URL; `work` meets them all. */
async function withReplicas(releases: readonly Built[], work: () => Promise<unknown>): Promise<number[]> {
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
    await each('worker-runtime');
    const [auth, control, gateway] = [await each('auth-server'), await each('control-plane'), await each('gateway')];
    await each('background');
    const balancer = await startBalancer(stage.port, { auth, control, gateway });
    await work().finally(() => balancer.close());
    return [...auth, ...control, ...gateway].map(({ port }) => balancer.answered.get(port) ?? 0);
  } finally {
    await Promise.all(running.map((one) => one.stop()));
  }
}

test('the schema keeps whatever the last release may use', async () => {
  const after = await readCatalogue(stage.databaseUrl);
  expect(breaksOf(before, after, { contracts: CONTRACTS, lastVersion: lastRelease().version })).toEqual([]);
});

test('the last release goes on where a newer one has migrated, and changes nothing there', async () => {
  expect(await stage.migrate(old)).toContain('The schema is up to date.');
  const after = await readCatalogue(stage.databaseUrl);
  expect(after.columns.size).toBeGreaterThan(before.columns.size);
});

test(
  'the last release’s journey comes out as promised on the new schema',
  async () => {
    await withReplicas([old], async () => {
      expect(await stage.demo(old)).toMatch(/All \d+ steps came out as promised/);
    });
  },
  JOURNEY_MS,
);

test(
  'both releases of every service work side by side, for agents of both eras and both releases’ journeys',
  async () => {
    const answered = await withReplicas([old, NEW], async () => {
      const steps: string[] = [];
      const report = (step: string): void => void steps.push(step);
      await runJourney({ publicUrl: stage.url, operatorKey: stage.operatorKey, report });
      expect(steps.length).toBeGreaterThan(10);
      expect(await stage.demo(old)).toMatch(/All \d+ steps came out as promised/);
    });
    for (const count of answered) expect(count).toBeGreaterThan(10);
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
