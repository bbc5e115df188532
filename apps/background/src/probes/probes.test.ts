import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newId } from '#libs/database';
import { enqueue, runProbesJob } from '#libs/jobs';
import { probeFigures } from '#libs/probes';
import { createLogger, metricsText, startTelemetry } from '#libs/telemetry';
import { JobRunner } from '../jobs/job-runner.js';
import { PublishRelease } from '../releases/publish-release.js';
import { manifestOf, openWorkplace, type TestServer, type Workplace } from '../workplace.fixture.js';
import { ProbeClock } from './probe-clock.js';
import { ProbeRetention } from './probe-retention.js';
import { ProbeRunner } from './probe-runner.js';
import { RunProbes } from './run-probes.js';

let place: Workplace;
let runner: JobRunner;
let telemetry: ReturnType<typeof startTelemetry>;
/** What the upstream of every tool answers. */
let answer = { status: 200, body: '{"open":true,"total":3}' };
const upstream = createServer((_request, response) => {
  response.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.body);
});
const logger = createLogger('background', 'silent');

beforeAll(async () => {
  telemetry = startTelemetry('background');
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  place = await openWorkplace();
  const { background: database, client: runtime, supplier } = place;
  const probes = new ProbeRunner(database, runtime, supplier);
  const announcer = { announce: async (): Promise<void> => {} };
  const publishing = new PublishRelease({ database, runtime, supplier, announcer, probes });
  runner = new JobRunner(database, [publishing, new RunProbes(database, probes)], logger);
});

afterAll(async () => {
  upstream.closeAllConnections();
  upstream.close();
  await place.close();
  await telemetry.stop();
});

/** A manifest whose tool `look` only reads and `buy` does not; both ask the upstream. */
function manifest(...names: string[]): string {
  const { port } = upstream.address() as AddressInfo; // it listens on TCP
  const origin = `http://localhost:${port}`;
  const plain = JSON.parse(manifestOf(...names).replaceAll('https://shop.example.com', origin));
  for (const tool of plain.tools) tool.annotations = { readOnlyHint: tool.name !== 'buy' };
  return JSON.stringify(plain);
}

async function newServer(): Promise<TestServer> {
  const server = await place.newServer();
  await place.allow(server.tenantId, (upstream.address() as AddressInfo).port); // it listens on TCP
  await place.control.asTenant(server.tenantId, (tx) => tx.query(`update servers set writes = true`));
  return server;
}

async function newProbe({ tenantId, serverId }: TestServer, probe: Record<string, unknown>): Promise<string> {
  const id = newId();
  await place.control.asTenant(tenantId, (tx) =>
    tx.query(
      `insert into probes (tenant_id, id, server_id, name, tool, arguments, expect, allow_effects, every_seconds, due_at)
       values ($1, $2, $3, $4, $5, '{}', $6, $7, $8, $9)`,
      [
        tenantId,
        id,
        serverId,
        `p-${id}`,
        probe['tool'] ?? 'look',
        probe['expect'] ?? {},
        probe['effects'] ?? false,
        probe['every'] ?? null,
        probe['every'] === undefined ? null : new Date(0),
      ],
    ),
  );
  return id;
}

const publish = async (server: TestServer, release: string) =>
  runner.run({ tenantId: server.tenantId, id: await place.request(server, release) }, 'more-left');

async function probeNow({ tenantId, serverId }: TestServer): Promise<void> {
  const id = await place.control.asTenant(tenantId, (tx) =>
    enqueue(tx, tenantId, runProbesJob, { tenantId, serverId, cause: 'request' }),
  );
  expect(await runner.run({ tenantId, id }, 'last')).toEqual({ outcome: 'done' });
}

const rowsOf = <Row>({ tenantId }: TestServer, sql: string): Promise<Row[]> =>
  place.background.asTenant(tenantId, (tx) => tx.query(sql));

test('a release goes live when the probes pass, and each result is kept', async () => {
  answer = { status: 200, body: '{"open":true,"total":3}' };
  const server = await newServer();
  await newProbe(server, { expect: { text: '"open":true', latency_ms_max: 10_000 } });
  const release = await place.newRelease(server, manifest('look'));
  expect(await publish(server, release)).toEqual({ outcome: 'done' });
  expect(await rowsOf(server, `select passed, reason, cause, diverged from probe_results`)).toEqual([
    { passed: true, reason: null, cause: 'publish', diverged: false },
  ]);
});

test('a release whose probe fails is rejected with what to do, and a probe calls no tool that may have effects', async () => {
  answer = { status: 200, body: '{"open":false}' };
  const server = await newServer();
  await newProbe(server, { expect: { text: '"open":true' } });
  await newProbe(server, { tool: 'buy' });
  await newProbe(server, { tool: 'gone' });
  await newProbe(server, { tool: 'buy', effects: true });
  const release = await place.newRelease(server, manifest('look', 'buy'));
  expect(await publish(server, release)).toMatchObject({ outcome: 'given-up' });
  const [{ rejection }] = (await rowsOf<{ rejection: { reason: string } }>(
    server,
    `select rejection from releases where state = 'rejected'`,
  )) as [{ rejection: { reason: string } }]; // the one release
  expect(rejection.reason).toContain('3 of 4 probes failed.');
  expect(rejection.reason).toContain('no text of the answer holds the expected one');
  expect(rejection.reason).toContain('buy does not only read; set "allow_effects"');
  expect(rejection.reason).toContain('the release has no tool gone; change or delete the probe');
  expect(rejection.reason).toContain('publish again');
});

test('failing, recovering and diverging on the live release are told where they begin, with figures and as series', async () => {
  answer = { status: 200, body: '{"open":true,"total":3}' };
  const server = await newServer();
  const probe = await newProbe(server, { expect: { text: 'open' } });
  const release = await place.newRelease(server, manifest('look'));
  await publish(server, release);
  for (const body of ['{"open":1}', '{"shut":1}', '{"shut":1}', '{"open":1}']) {
    answer = { status: 200, body };
    await probeNow(server);
  }
  const events = await rowsOf<{ event: string }>(
    server,
    `select event, details ->> 'release' as release from audit_records where event like 'probe.%' order by id`,
  );
  expect(events).toEqual([
    { event: 'probe.diverged', release },
    { event: 'probe.failed', release },
    { event: 'probe.recovered', release },
    { event: 'probe.diverged', release },
  ]);
  const runs = (await metricsText()).split('\n').filter((line) => line.startsWith('wharf_probe_runs_total{'));
  const counted = runs
    .filter((line) => line.includes('cause="request"'))
    .map((line) => line.replace(/.*result=/, 'result='));
  expect(counted.map((line) => line.replace(/,otel.*}|}/, '')).sort()).toEqual([
    'result="failed",answer="changed",cause="request" 1',
    'result="failed",answer="same",cause="request" 1',
    'result="passed",answer="changed",cause="request" 2',
  ]);
  const figures = await place.background.asTenant(server.tenantId, (tx) =>
    probeFigures(tx, server.tenantId, { releaseId: release, since: new Date(0) }),
  );
  expect(figures).toMatchObject([{ probeId: probe, runs: 5, failures: 2, divergences: 3, lastPassed: true }]);
  const other = await newServer();
  expect(
    await place.background.asTenant(other.tenantId, (tx) =>
      probeFigures(tx, other.tenantId, { releaseId: release, since: new Date(0) }),
    ),
  ).toEqual([]);
});

test('an answer that agents read by a link is judged whole, up to a bound', async () => {
  const rows = Array.from({ length: 40_000 }, (_, id) => ({ id, title: `a book of ${id} pages or more, as it seems` }));
  answer = { status: 200, body: JSON.stringify({ rows, total: 40_000 }) };
  expect(answer.body.length).toBeGreaterThan(2 * 1024 * 1024);
  const server = await newServer();
  const values = { '/structuredContent/total': 40_000, '/structuredContent/rows/39999/id': 39_999 };
  await newProbe(server, { expect: { values, text: '"total":40000' } });
  const plain = JSON.parse(manifest('look'));
  for (const tool of plain.tools) tool.outputSchema = { type: 'object', required: ['total'] };
  await publish(server, await place.newRelease(server, JSON.stringify(plain)));
  answer = { status: 200, body: JSON.stringify({ rows: 'x'.repeat(5 * 1024 * 1024), total: 40_000 }) };
  await probeNow(server);
  expect(await rowsOf(server, `select passed, reason from probe_results order by id`)).toMatchObject([
    { passed: true, reason: null },
    { passed: false, reason: expect.stringContaining('the tool failed') },
  ]);
});

test('what is due becomes one job however many clocks look, and no second one while it waits', async () => {
  answer = { status: 200, body: '{}' };
  const server = await newServer();
  await newProbe(server, { every: 60 });
  await newProbe(server, { every: 3_600 });
  await publish(server, await place.newRelease(server, manifest('look')));
  const clocks = [new ProbeClock(place.background, logger), new ProbeClock(place.background, logger)];
  const made = await Promise.all(clocks.map((clock) => clock.tick()));
  expect(made.reduce((sum, count) => sum + count, 0)).toBe(1);
  const waiting = await rowsOf<{ id: string; payload: { probeIds: string[] } }>(
    server,
    `select id, payload from outbox where name = 'run-probes' and completed_at is null and tenant_id = '${server.tenantId}'`,
  );
  expect(waiting.map(({ payload }) => payload.probeIds.length)).toEqual([2]);
  await place.control.asTenant(server.tenantId, (tx) => tx.query(`update probes set due_at = to_timestamp(0)`));
  expect(await clocks[0]?.tick()).toBe(0);
  expect(await runner.run({ tenantId: server.tenantId, id: waiting[0]?.id ?? '' }, 'last')).toEqual({
    outcome: 'done',
  });
  expect(await rowsOf(server, `select distinct cause from probe_results where cause <> 'publish'`)).toEqual([
    { cause: 'schedule' },
  ]);
});

test('results are deleted after thirty days', async () => {
  answer = { status: 200, body: '{}' };
  const server = await newServer();
  await newProbe(server, {});
  await publish(server, await place.newRelease(server, manifest('look')));
  await probeNow(server);
  const retention = new ProbeRetention(place.background, logger);
  expect(await retention.sweep()).toBe(0);
  await place.background.asTenant(server.tenantId, (tx) =>
    tx.query(`update probe_results set at = now() - interval '31 days' where cause = 'publish'`),
  );
  expect(await retention.sweep()).toBe(1);
  expect(await rowsOf(server, `select cause from probe_results`)).toEqual([{ cause: 'request' }]);
});
