import { readFileSync } from 'node:fs';
import { until } from '#libs/testing';
import { Redis } from 'ioredis';
import { Client } from 'pg';
import { familyCpuMs } from '../bench/measure/processes.js';
import type { Platform } from '../faults/platform/platform.js';
import { cpuMsOf, familyOf, memoryKb } from '../soak/sample.js';
import type { FIGURES } from './formula.js';

/** The parts of the platform whose CPU is counted. */
export type Part = keyof typeof FIGURES.bareCalls;

/** What the platform's parts hold and have used. */
export interface Reading {
  readonly atMs: number;
  readonly workersMb: number;
  readonly workers: number;
  /** Of entries of sessions and of lists of them. */
  readonly sessionsBytes: number;
  /** Of the audit log, its tree and their indexes. */
  readonly auditBytes: number;
  readonly cpuMs: Readonly<Record<Part, number>>;
  /** Of everything on the machine, and of us: the platform and who calls it. */
  readonly machineCpuMs: number;
  readonly ownCpuMs: number;
}

/** Bubblewrap's own processes are smaller than any Node. */
const WORKER_KB_MIN = 8_000;
/** One waits for a tenant that has none. */
const WARM_WORKERS = 1;
const SESSIONS = /^session(?:s-of)?:/;

/** Reads once everything that so many calls left to do is done: the record of each is in the audit log. */
export async function read({ replicas, postgres, redis }: Platform, calls: number): Promise<Reading> {
  const auditBytes = await untilShipped(postgres.ownUrl, calls);
  const runtime = replicas['worker-runtime'][0]?.pid ?? 0;
  const workers = familyOf(runtime).filter((pid) => pid !== runtime && memoryKb(pid) > WORKER_KB_MIN);
  const all = Object.values(replicas).flatMap((copies) => copies.map(({ pid }) => pid));
  const { user, system } = process.cpuUsage();
  return {
    atMs: performance.now(),
    machineCpuMs: machineCpuMs(),
    ownCpuMs: [...all, postgres.pid, redis.pid].reduce((sum, pid) => sum + familyCpuMs(pid), (user + system) / 1_000),
    workersMb: workers.reduce((total, pid) => total + memoryKb(pid), 0) / 1024,
    workers: workers.length - WARM_WORKERS,
    sessionsBytes: await sessionsBytes(redis.url),
    auditBytes,
    cpuMs: {
      gateway: cpuMsOf(replicas.gateway[0]?.pid ?? 0),
      runtime: cpuMsOf(runtime),
      worker: familyCpuMs(runtime) - cpuMsOf(runtime),
      postgres: familyCpuMs(postgres.pid), // with what connections used that have ended
      redis: cpuMsOf(redis.pid),
    },
  };
}

/** What all processors have worked since the machine started: user, nice, system, interrupts of both kinds; in ticks of 10 ms. */
function machineCpuMs(): number {
  const [line = ''] = readFileSync('/proc/stat', 'utf8').split('\n');
  const ticks = line.trim().split(/\s+/).slice(1).map(Number);
  return [0, 1, 2, 5, 6].reduce((sum, at) => sum + (ticks[at] ?? 0), 0) * 10;
}

/** Waits until the records of so many calls have their place in the audit log; what it takes then. */
async function untilShipped(url: string, calls: number): Promise<number> {
  const owner = new Client({ connectionString: url });
  await owner.connect();
  try {
    await until(async () => {
      const { rows } = await owner.query<{ arriving: boolean; calls: string }>(
        `select exists (select from audit_records) as arriving, (select count(*) from audit_log
         where event = 'call.completed' and details ->> 'method' = 'tools/call') as calls`,
      );
      return rows[0]?.arriving === false && Number(rows[0].calls) >= calls;
    }, 'every record is in the audit log');
    const { rows } = await owner.query<{ bytes: string }>(
      `select sum(pg_total_relation_size(oid)) as bytes from pg_class
       where relkind = 'r' and relname ~ '^audit_(log|tiles|trees)'`,
    );
    return Number(rows[0]?.bytes);
  } finally {
    await owner.end();
  }
}

async function sessionsBytes(url: string): Promise<number> {
  const store = new Redis(url);
  try {
    const keys = (await store.keys('*')).filter((key) => SESSIONS.test(key));
    const sizes = await Promise.all(keys.map((key) => store.memory('USAGE', key, 'SAMPLES', 0)));
    return sizes.reduce<number>((total, size) => total + (size ?? 0), 0);
  } finally {
    store.disconnect();
  }
}
