import { cpus } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { startPlatform, type Copies, type Platform } from '../faults/platform/platform.js';
import type { StageTenant } from '../faults/platform/tenants.js';
import { median } from '../bench/measure/statistics.js';
import { FIGURES, sizeFor, type Load } from './formula.js';
import { callMany, openSessions } from './load.js';
import { read, type Part, type Reading } from './reading.js';

const COPIES: Copies = { gateway: 1, 'worker-runtime': 1, 'control-plane': 1, 'auth-server': 1, background: 1 };
const TENANTS = 6;
const SESSIONS_EACH = 40;
const ROUNDS = 5;
const CALLS_EACH = 400;
/** Until compilers have done their work: a call costs several times as much before. */
const WARM_CALLS_EACH = 1_200;
const SETTLE_MS = 9_000;
/** A processor that others use too makes a call dearer; more than this is no noise. */
const CPU_FACTOR = 2.5;
const SIZE_FACTOR = 1.3;
const OTHERS_SHARE_MAX = 0.1;
const PARTS = ['gateway', 'runtime', 'worker', 'postgres', 'redis'] as const;
const say = (text: string): void => void process.stdout.write(`${text}\n`);

/**
 * A figure of the formula beside what was measured. `factor`: how far apart they may be; CPU is not judged where others use the machine, for a
 * call takes several times as much while its processes are moved out of the way.
 */
interface Comparison {
  readonly what: string;
  readonly predicted: number;
  readonly measured: number;
  readonly factor: number | 'not judged';
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
      return factor !== 'not judged' && !(ratio <= factor && ratio >= 1 / factor);
    });
    say(`\n${sizesTable()}\n`);
    for (const { what, factor } of apart) say(`  ${what}: formula and measurement are more than ${factor} × apart.`);
    const unjudged = comparisons.filter(({ factor }) => factor === 'not judged').length;
    if (unjudged > 0) say(`${unjudged} of CPU were NOT JUDGED: others use this machine. Measure on one that is quiet.`);
    say(`${comparisons.length - apart.length - unjudged} passed, ${apart.length} failed`);
    return apart.length === 0;
  } finally {
    await platform.stop();
  }
}

async function measure(platform: Platform): Promise<Comparison[]> {
  const { tenants, url } = platform;
  let made = 0;
  const calls = async (each: number): Promise<void> => {
    await Promise.all(tenants.map((tenant: StageTenant) => callMany(url, tenant, each)));
    made += each * TENANTS;
  };
  const settled = async (): Promise<Reading> => {
    await pause(SETTLE_MS);
    return read(platform, made);
  };
  // The first sessions and calls pay for code, caches and heaps that have grown: what counts is what more of them cost.
  say(`Warming up, then ${TENANTS * SESSIONS_EACH} sessions and ${ROUNDS} times ${TENANTS * CALLS_EACH} calls …`);
  await calls(WARM_CALLS_EACH);
  await Promise.all(tenants.map((tenant) => openSessions(url, tenant, SESSIONS_EACH / 8)));
  const before = await settled();
  await Promise.all(tenants.map((tenant) => openSessions(url, tenant, SESSIONS_EACH)));
  const idle = await settled();
  const readings = [await settled()];
  for (let round = 1; round <= ROUNDS; round += 1) {
    await calls(CALLS_EACH);
    readings.push(await settled());
  }
  return [...sizesOf(before, readings), ...PARTS.map((part) => cpuOf(part, idle, readings))];
}

/** What tenants, sessions and calls take. */
function sizesOf(before: Reading, readings: readonly Reading[]): Comparison[] {
  const [first, last] = [readings[0] ?? before, readings.at(-1) ?? before];
  const callsMade = ROUNDS * TENANTS * CALLS_EACH;
  return [
    { what: 'workers of that many tenants', predicted: TENANTS, measured: before.workers, factor: 1 },
    {
      what: `memory of ${TENANTS} workers after calls, MB`,
      predicted: TENANTS * FIGURES.workerMb,
      measured: before.workersMb,
      factor: SIZE_FACTOR,
    },
    {
      what: 'Redis for a session, bytes',
      predicted: FIGURES.sessionRedisBytes,
      measured: (first.sessionsBytes - before.sessionsBytes) / (TENANTS * SESSIONS_EACH),
      factor: SIZE_FACTOR,
    },
    {
      what: 'PostgreSQL for a call, bytes',
      predicted: FIGURES.auditBytesPerCall,
      measured: (last.auditBytes - first.auditBytes) / callsMade,
      factor: SIZE_FACTOR,
    },
  ];
}

/** CPU of a call in one part: of the middle round, less what the part uses in that time without calls. */
function cpuOf(part: Part, idle: Reading, readings: readonly Reading[]): Comparison {
  const used = (from: Reading, to: Reading): number => to.cpuMs[part] - from.cpuMs[part];
  const [first = idle, ...rounds] = readings;
  const idleShare = used(idle, first) / (first.atMs - idle.atMs);
  const spent = rounds.map((reading, index) => {
    const from = readings[index] ?? first;
    return used(from, reading) - idleShare * (reading.atMs - from.atMs);
  });
  return {
    what: `CPU of ${part} for a call, µs`,
    predicted: FIGURES.cpuUs[part],
    measured: (median(spent) * 1_000) / (TENANTS * CALLS_EACH),
    factor: othersShare(idle, readings.at(-1) ?? idle) > OTHERS_SHARE_MAX ? 'not judged' : CPU_FACTOR,
  };
}

/** Which share of the processors others have used. */
function othersShare(from: Reading, to: Reading): number {
  const others = to.machineCpuMs - from.machineCpuMs - (to.ownCpuMs - from.ownCpuMs);
  return others / (to.atMs - from.atMs) / cpus().length;
}

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
