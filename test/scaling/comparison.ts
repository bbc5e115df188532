import { median } from '../bench/measure/statistics.js';
import { FIGURES, HEADROOM, sizeFor, type Figures, type Load } from './formula.js';
import type { Part, Reading } from './reading.js';

/** A processor that others use too makes a call dearer; more than this is no noise. */
const CPU_FACTOR = 2;
const SIZE_FACTOR = 1.3;
/** A count is right or wrong. */
const EXACT = 1;
const OTHERS_SHARE_MAX = 0.1;

/**
 * What the formula says of what was run, beside what was measured. `factor`: how far apart they may be; CPU is not judged where
 * others use the machine, for a call takes several times as much while its processes are moved out of the way.
 */
export interface Comparison {
  readonly what: string;
  readonly predicted: number;
  readonly measured: number;
  readonly factor: number | 'not judged';
}

/** What a run had to carry, and what was read on the way. */
export interface Run {
  readonly tenants: number;
  /** Open before the first reading, and opened after it. */
  readonly sessionsBefore: number;
  readonly sessionsOpened: number;
  readonly callsOfRound: number;
  readonly processors: number;
  /** CPU of a bare SDK server for the same call on this machine, in µs. */
  readonly bareCallUs: number;
  readonly before: Reading;
  /** Twice without a call between them: what the parts use by themselves. */
  readonly idle: Reading;
  readonly rested: Reading;
  /** After each round of calls. */
  readonly rounds: readonly Reading[];
}

/** Whether a comparison is within its bound; what is no number is not. */
export function agrees({ predicted, measured, factor }: Comparison): boolean {
  const ratio = measured / predicted;
  return factor === 'not judged' || (ratio <= factor && ratio >= 1 / factor);
}

/** The formula, given the small load that was run, beside what that took. */
export function comparisonsOf(run: Run, figures: Figures = FIGURES): Comparison[] {
  const { before, rested, rounds } = run;
  const last = rounds.at(-1) ?? rested;
  const ofAll = (sessions: number): Load => ({
    tenants: run.tenants,
    activeShare: 1,
    sessions,
    callsPerSecondPeak: 0,
    callsPerDay: run.callsOfRound * rounds.length,
    retentionDays: 1,
  });
  const [few, all, opened] = [
    sizeFor(ofAll(run.sessionsBefore), figures),
    sizeFor(ofAll(run.sessionsBefore + run.sessionsOpened), figures),
    sizeFor(ofAll(run.sessionsOpened), figures),
  ];
  const size = (what: string, predicted: number, measured: number, factor = SIZE_FACTOR): Comparison => ({
    what,
    predicted,
    measured,
    factor,
  });
  return [
    size('workers', few.workers, before.workers, EXACT),
    size('memory of workers with few sessions, MB', few.workersGb * 1024, before.workersMb),
    size('memory of workers with all sessions, MB', all.workersGb * 1024, last.workersMb),
    size(
      'Redis for the sessions, kB',
      (opened.redisGb / HEADROOM.redis) * 1024 ** 2,
      kb(rested.sessionsBytes - before.sessionsBytes),
    ),
    size('PostgreSQL for the calls, kB', all.auditGb * 1024 ** 2, kb(last.auditBytes - rested.auditBytes)),
    ...cpuOf(run, figures),
  ];
}

const kb = (bytes: number): number => bytes / 1024;

/** CPU of a round of calls by part: of the middle round, less what the part uses in that time without calls. */
function cpuOf(run: Run, figures: Figures): Comparison[] {
  const { idle, rested, rounds, callsOfRound } = run;
  const load = {
    tenants: 0,
    activeShare: 0,
    sessions: 0,
    callsPerDay: 0,
    retentionDays: 0,
    callsPerSecondPeak: callsOfRound,
  };
  const size = sizeFor(load, { ...figures, bareCallUs: run.bareCallUs });
  const cores: Readonly<Record<Part, number>> = {
    gateway: size.gatewayCores,
    runtime: size.runtimeCores,
    worker: size.workerCores,
    postgres: size.postgresCores,
    redis: size.redisCores,
  };
  const factor = othersShare(run) > OTHERS_SHARE_MAX ? 'not judged' : CPU_FACTOR;
  return (Object.keys(cores) as Part[]).map((part) => {
    const used = (from: Reading, to: Reading): number => to.cpuMs[part] - from.cpuMs[part];
    const idleShare = used(idle, rested) / (rested.atMs - idle.atMs);
    const spent = rounds.map((reading, index) => {
      const from = rounds[index - 1] ?? rested;
      return used(from, reading) - idleShare * (reading.atMs - from.atMs);
    });
    // So many calls in a second need so many cores: that is so many seconds of one.
    const predicted = cores[part] * HEADROOM.busy * 1_000;
    return { what: `CPU of ${part} for ${callsOfRound} calls, ms`, predicted, measured: median(spent), factor };
  });
}

/** Which share of the processors others have used. */
function othersShare({ idle, rested, rounds, processors }: Run): number {
  const to = rounds.at(-1) ?? rested;
  const others = to.machineCpuMs - idle.machineCpuMs - (to.ownCpuMs - idle.ownCpuMs);
  return others / (to.atMs - idle.atMs) / processors;
}
