import { drive, type Measured } from '../load/drive.js';
import { ERAS, type Era, type Work } from '../load/work.js';
import { median } from '../measure/statistics.js';
import type { Report } from '../report/report.js';

/** A server that is measured beside the others at the same work. */
export interface Contender {
  readonly name: string;
  /** Root of its processes. */
  readonly pid: number;
  readonly url: string;
  readonly bearer?: string;
  /** Eras it serves; both by default. */
  readonly eras?: readonly Era[];
}

/** The same work for every contender; the first is what the others are compared with. */
export interface Contest {
  readonly work: Work;
  readonly inFlight: number;
  readonly contenders: readonly Contender[];
}

/** How long and how often each is measured. */
export interface Pace {
  readonly rounds: number;
  readonly measureMs: number;
  /** Calls before the first round: code that has just been compiled, and its compiler, would be measured otherwise. */
  readonly warmCallsFirst: number;
  readonly warmCalls: number;
}

const FIGURES = ['callsPerSecond', 'p50', 'p95', 'p99', 'cpuPer1000'] as const;
type Medians = Record<(typeof FIGURES)[number], number>;

/**
 * Measures contests era by era. Contenders take turns within a round, so that a machine that is busy for a while is
 * busy for all of them; what is reported is the median of the rounds.
 */
export async function compare(contests: readonly Contest[], pace: Pace, report: Report): Promise<void> {
  for (const contest of contests) {
    const rows: Array<Record<string, string | number>> = [];
    for (const era of ERAS) rows.push(...(await runEra(contest, era, pace)));
    report.table(titleOf(contest), rows);
  }
}

async function runEra(contest: Contest, era: Era, pace: Pace): Promise<Array<Record<string, string | number>>> {
  const able = contest.contenders.filter(({ eras }) => eras === undefined || eras.includes(era));
  const seen = new Map<Contender, Measured[]>(able.map((contender) => [contender, []]));
  for (let round = 0; round < pace.rounds; round += 1) {
    for (const [contender, found] of seen) {
      const warmCalls = round === 0 ? Math.ceil(pace.warmCallsFirst * share(contest)) : pace.warmCalls;
      found.push(await measure(contest, contender, era, { ...pace, warmCalls }));
    }
  }
  const medians = [...seen].map(([contender, found]) => ({ contender, found: mediansOf(found) }));
  const baseline = medians[0]?.found;
  return medians.map(({ contender, found }) => rowOf(era, contender, found, baseline ?? found));
}

function measure({ work, inFlight }: Contest, contender: Contender, era: Era, pace: Pace): Promise<Measured> {
  const { pid, url, bearer } = contender;
  return drive(pid, {
    url,
    ...(bearer === undefined ? {} : { bearer }),
    era,
    work,
    inFlight,
    warmCalls: pace.warmCalls,
    measureMs: pace.measureMs,
  });
}

/** One at a time, calls take longer; by then the same code has run in the contests before. */
function share({ inFlight }: Contest): number {
  return inFlight === 1 ? 0.2 : 1;
}

function mediansOf(found: readonly Measured[]): Medians {
  return Object.fromEntries(FIGURES.map((figure) => [figure, median(found.map((one) => one[figure]))])) as Medians; // the same names
}

function rowOf(era: Era, { name }: Contender, found: Medians, baseline: Medians): Record<string, string | number> {
  return {
    era,
    server: name,
    'calls/s': found.callsPerSecond,
    'p50 ms': found.p50,
    'p95 ms': found.p95,
    'p99 ms': found.p99,
    'CPU ms/1000': found.cpuPer1000,
    'CPU ×': found.cpuPer1000 / baseline.cpuPer1000,
    'p50 ×': found.p50 / baseline.p50,
    'p99 ×': found.p99 / baseline.p99,
  };
}

function titleOf({ work, inFlight }: Contest): string {
  const works = {
    echo: 'tools/call, 200 B in, 300 B out',
    list: 'tools/list of 100 tools',
    hello: 'ping (2025) and server/discover (2026)',
  } as const;
  return `${works[work]}, ${inFlight} in flight (× is against the first of its era)`;
}
