import { Redis } from 'ioredis';
import { Client } from 'pg';
import { setTimeout as pause } from 'node:timers/promises';
import { startPlatform, type Copies, type Platform } from '../faults/platform/platform.js';
import type { StageTenant } from '../faults/platform/tenants.js';
import { cpuMsOf, familyOf, memoryKb } from '../soak/sample.js';
import { FIGURES, sizeFor, type Load } from './formula.js';
import { callMany, openSessions } from './load.js';

const COPIES: Copies = { gateway: 1, 'worker-runtime': 1, 'control-plane': 1, 'auth-server': 1, background: 1 };
const TENANTS = 6;
const SESSIONS_EACH = 40;
const CALLS_EACH = 400;
const WARM_CALLS_EACH = 60;
const SETTLE_MS = 9_000;
const say = (text: string): void => void process.stdout.write(`${text}\n`);

/** What the platform's parts hold and have used. */
interface Reading {
  readonly workersMb: number;
  readonly workers: number;
  readonly redisBytes: number;
  readonly databaseBytes: number;
  readonly cpuMs: Readonly<Record<keyof typeof FIGURES.cpuUs, number>>;
}

/** A figure of the formula beside what was measured. `factor`: how far apart they may be. */
interface Comparison {
  readonly what: string;
  readonly predicted: number;
  readonly measured: number;
  readonly factor: number;
}

/** Prints the formula's figures beside measured ones, and sizes up to a million sessions; whether they agree. */
export async function checkFormula(): Promise<boolean> {
  const wanted = Array.from({ length: TENANTS }, (_, index) => ({ slug: `t${index + 1}`, mode: 'disk' as const }));
  say(`Starting one of each service for ${TENANTS} tenants …`);
  const platform = await startPlatform(COPIES, wanted);
  try {
    const comparisons = await measure(platform);
    say('| what | formula | measured | measured / formula |\n| --- | ---: | ---: | ---: |');
    for (const { what, predicted, measured } of comparisons) {
      say(`| ${what} | ${predicted.toFixed(1)} | ${measured.toFixed(1)} | ${(measured / predicted).toFixed(2)} |`);
    }
    const apart = comparisons.filter(({ predicted, measured, factor }) => {
      const ratio = measured / predicted;
      return !(ratio <= factor && ratio >= 1 / factor);
    });
    say(`\n${sizesTable()}\n`);
    for (const { what, factor } of apart) say(`  ${what}: formula and measurement are more than ${factor} × apart.`);
    say(`${comparisons.length - apart.length} passed, ${apart.length} failed`);
    return apart.length === 0;
  } finally {
    await platform.stop();
  }
}

async function measure(platform: Platform): Promise<Comparison[]> {
  const { tenants, url } = platform;
  const calls = (each: number) => Promise.all(tenants.map((tenant: StageTenant) => callMany(url, tenant, each)));
  // The first sessions and calls pay for code, caches and heaps that have grown: what counts is what more of them cost.
  say(`Warming up, then ${TENANTS * SESSIONS_EACH} sessions and ${TENANTS * CALLS_EACH} calls …`);
  await calls(WARM_CALLS_EACH);
  await Promise.all(tenants.map((tenant) => openSessions(url, tenant, SESSIONS_EACH / 6)));
  await pause(SETTLE_MS);
  const before = await read(platform);
  await Promise.all(tenants.map((tenant) => openSessions(url, tenant, SESSIONS_EACH)));
  await pause(SETTLE_MS);
  const withSessions = await read(platform);
  await calls(CALLS_EACH);
  await pause(SETTLE_MS);
  const after = await read(platform);
  const sessions = TENANTS * SESSIONS_EACH;
  const made = TENANTS * CALLS_EACH;
  const cpu = (part: keyof Reading['cpuMs']): Comparison => ({
    what: `CPU of ${part} for a call, µs`,
    predicted: FIGURES.cpuUs[part],
    measured: ((after.cpuMs[part] - withSessions.cpuMs[part]) * 1_000) / made,
    factor: 3,
  });
  return [
    { what: 'workers of that many tenants', predicted: TENANTS, measured: before.workers, factor: 1 },
    {
      what: `memory of ${TENANTS} workers at rest, MB`,
      predicted: TENANTS * FIGURES.workerMb,
      measured: before.workersMb,
      factor: 1.5,
    },
    {
      what: 'Redis for a session, bytes',
      predicted: FIGURES.sessionRedisBytes,
      measured: (withSessions.redisBytes - before.redisBytes) / sessions,
      factor: 1.5,
    },
    {
      what: 'PostgreSQL for a call, bytes',
      predicted: FIGURES.auditBytesPerCall,
      measured: (after.databaseBytes - withSessions.databaseBytes) / made,
      factor: 1.5,
    },
    ...(['gateway', 'runtime', 'worker', 'postgres', 'redis'] as const).map(cpu),
  ];
}

async function read({ replicas, postgres, redis }: Platform): Promise<Reading> {
  const pidOf = (kind: 'gateway' | 'worker-runtime'): number => replicas[kind][0]?.pid ?? 0;
  const store = new Redis(redis.url);
  const memory = /used_memory:(\d+)/.exec(await store.info('memory'))?.[1];
  store.disconnect();
  const owner = new Client({ connectionString: postgres.ownUrl });
  await owner.connect();
  const { rows } = await owner.query<{ bytes: string }>('select pg_database_size(current_database()) as bytes');
  await owner.end();
  const runtime = pidOf('worker-runtime');
  const below = familyOf(runtime).filter((pid) => pid !== runtime);
  const sum = (pids: readonly number[]): number => pids.reduce((total, pid) => total + cpuMsOf(pid), 0);
  const workers = below.filter((pid) => memoryKb(pid) > WORKER_KB_MIN);
  return {
    workersMb: workers.reduce((total, pid) => total + memoryKb(pid), 0) / 1024,
    workers: workers.length - WARM_WORKERS,
    redisBytes: Number(memory),
    databaseBytes: Number(rows[0]?.bytes),
    cpuMs: {
      gateway: cpuMsOf(pidOf('gateway')),
      runtime: cpuMsOf(runtime),
      worker: sum(below),
      postgres: sum(familyOf(postgres.pid)),
      redis: cpuMsOf(redis.pid),
    },
  };
}

/** Bubblewrap's own processes are smaller than any Node. */
const WORKER_KB_MIN = 8_000;
/** One waits for a tenant that has none. */
const WARM_WORKERS = 1;

/** Sizes from small to the largest that is planned for; a tenth of the tenants is awake, and a session calls once in a minute. */
function sizesTable(): string {
  const loads: Load[] = [100, 1_000, 10_000, 100_000].map((tenants) => ({
    tenants,
    activeShare: 0.1,
    sessions: tenants * 10,
    callsPerSecondPeak: (tenants * 10) / 60,
    callsPerDay: ((tenants * 10) / 60) * 86_400 * 0.3,
    retentionDays: 30,
  }));
  const lines = loads.map((load) => {
    const size = sizeFor(load);
    const cells = [
      load.tenants,
      load.sessions,
      load.callsPerSecondPeak.toFixed(0),
      size.gateways,
      size.runtimes,
      size.runtimeCores.toFixed(1),
      size.workers,
      size.workersGb.toFixed(1),
      size.redisGb.toFixed(2),
      size.postgresCores.toFixed(1),
      size.auditGb.toFixed(0),
    ];
    return `| ${cells.join(' | ')} |`;
  });
  return [
    '| tenants | sessions | calls/s at peak | gateways | runtimes | their cores with workers | workers | workers, GB | Redis, GB | PostgreSQL cores | audit of 30 days, GB |',
    '| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |',
    ...lines,
  ].join('\n');
}
