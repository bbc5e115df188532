import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { parseAllDocuments } from 'yaml';
import {
  ARCHIVE_BYTES_PER_CALL,
  BOUNDS,
  FIGURES,
  plannedSizes,
  POD,
  RETENTION_DAYS,
  sizeFor,
  SPARE,
  type Load,
} from './formula.js';
import { FACTOR } from './placement.js';

const LOAD: Load = {
  tenants: 1_000,
  activeShare: 0.1,
  sessions: 10_000,
  callsPerSecondPeak: 1_000,
  callsPerDay: 1_000_000,
  retentionDays: 30,
};

test('ten times the load needs ten times as much of everything that is not a minimum', () => {
  const ten = { ...LOAD, tenants: 10_000, sessions: 100_000, callsPerSecondPeak: 10_000, callsPerDay: 10_000_000 };
  const [small, large] = [sizeFor(LOAD), sizeFor(ten)];
  for (const part of [
    'workers',
    'workersGb',
    'redisGb',
    'postgresCores',
    'auditGb',
    'gatewayCores',
    'podCores',
  ] as const) {
    expect(large[part] / small[part]).toBeCloseTo(10, 5);
  }
});

test('nothing runs in one copy, and a thousand calls in a second need the cores that they were measured to take', () => {
  expect(sizeFor({ ...LOAD, callsPerSecondPeak: 1 })).toMatchObject({ gateways: 2, runtimes: 2 });
  expect(sizeFor(LOAD).gatewayCores).toBeCloseTo(
    (1_000 * FIGURES.bareCalls.gateway * FIGURES.bareCallUs) / 1e6 / 0.5,
    5,
  );
});

test('sessions and workers are shared out as the autoscalers do it, within as many copies as they may make', () => {
  const scalerOf = (service: string, metric: string): { average: number; max: number } => {
    const documents = parseAllDocuments(readFileSync(`k8s/base/${service}/scaling.yaml`, 'utf8')).map((each) =>
      each.toJS(),
    );
    const { spec } = documents.find(({ kind }) => kind === 'HorizontalPodAutoscaler');
    const { pods } = spec.metrics.find(
      (each: { pods?: { metric: { name: string } } }) => each.pods?.metric.name === metric,
    );
    return { average: Number(pods.target.averageValue), max: spec.maxReplicas };
  };
  const [gateways, runtimes] = [
    scalerOf('gateway', 'wharf_sessions_active'),
    scalerOf('worker-runtime', 'wharf_workers'),
  ];
  expect([gateways.average, runtimes.average]).toEqual([BOUNDS.sessionsPerGateway, BOUNDS.workersPerRuntime]);
  const largest = sizeFor({ ...LOAD, tenants: 100_000, sessions: 1_000_000, callsPerSecondPeak: 1_000_000 / 60 });
  expect(largest).toMatchObject({ gateways: 67 + SPARE, runtimes: 100 + SPARE });
  expect(gateways.max).toBeGreaterThanOrEqual(largest.gateways);
  // Autoscalers count the workers that there are, and placing makes more of them.
  expect(runtimes.max).toBeGreaterThanOrEqual(largest.runtimes * FACTOR.workers);
  for (const [service, copies] of [
    ['auth-server', largest.authServers],
    ['control-plane', largest.controlPlanes],
  ] as const)
    expect(
      Number(/maxReplicas: (\d+)/.exec(readFileSync(`k8s/base/${service}/scaling.yaml`, 'utf8'))?.[1]),
    ).toBeGreaterThanOrEqual(copies);
});

test('the days that calls are counted for are what a plan keeps by default, and the fewest that it may', () => {
  const plans = readFileSync('migrations/1763751000000-audit-archives.ts', 'utf8');
  const [, byDefault, least] =
    /audit_retention_days integer not null default (\d+)\s+check \(audit_retention_days between (\d+)/.exec(plans) ??
    [];
  expect(RETENTION_DAYS).toEqual({ default: Number(byDefault), least: Number(least) });
  const [headings = []] = plannedSizes();
  expect(headings).toEqual(expect.arrayContaining([`audit of ${byDefault} days, GB`, `of ${least} days, GB`]));
});

test('a pod asks for what the driver and the runtime class say', () => {
  const manifest = readFileSync('apps/worker-runtime/src/isolation/pod/pod-manifest.ts', 'utf8');
  expect(manifest).toContain("requests: { cpu: '100m', memory,");
  const config = readFileSync('apps/worker-runtime/src/config.ts', 'utf8');
  expect(config).toContain('WHARF_WORKER_MEMORY_MB: wholeNumber(64, 8_192).default(256)');
  const runtimeClass = readFileSync('k8s/components/sandboxed-workers/runtime-class.yaml', 'utf8');
  expect(runtimeClass).toContain('podFixed: { cpu: 50m, memory: 40Mi }');
  expect(POD).toEqual({ cores: 0.1 + 0.05, mb: 256 + 40 });
});

test('the page shows the sizes and the figures that the formula gives now', () => {
  const page = readFileSync('docs/scaling.md', 'utf8');
  const rows = page.split('\n').map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
  for (const cells of plannedSizes()) expect(rows).toContainEqual(cells);
  const { bareCalls, ...sizes } = FIGURES;
  for (const figure of [
    ...Object.values(bareCalls),
    ...Object.values(sizes),
    ...Object.values(BOUNDS),
    ARCHIVE_BYTES_PER_CALL,
  ])
    expect(page).toMatch(new RegExp(`(?<![\\d,.])${figure.toLocaleString('en')}(?![\\d,])`));
});
