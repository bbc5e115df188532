import { setTimeout as pause } from 'node:timers/promises';
import { amid, LIST, type Noise } from '../load/noise.js';
import { StallWatch, type Stall } from '../measure/stalls.js';
import { median, percentile } from '../measure/statistics.js';
import { launch, type Launched } from '../platform/launcher.js';
import { planOf, publishTenant, type BenchTenant } from '../platform/tenants.js';
import type { Report } from '../report/report.js';
import { startListening } from '../servers/program.js';
import { measureRefusals } from './refusals.js';

/** A share of 20 calls a second, as that of a plan of 1,200 in a minute. */
const PER_MINUTE = 1_200;
const SHARE_PER_SECOND = PER_MINUTE / 60;
const TIMES_ITS_SHARE = 20;
/** How much of that is enough: starting the program takes some of the time. */
const NOISE_MIN = 0.9;
const TRIES = 5;
/** A calm tenant calls at more than the share, within a plan of its own, for there to be a 99th percentile. */
const CALM_PER_SECOND = 50;
/** Short rounds, and many: the machine's own pace changes from minute to minute. */
const CALLS = 200;
const ROUNDS = 16;
/** Until the compiler has done with what serves and what refuses: a flood of each, then some seconds of the noise. */
const WARM_MS = 8_000;
const FLOOD = 64;
const SETTLE_MS = 1_000;
/** Until the noisy one has used its minute up, which 20 times a share does in three seconds: so it goes on for as long as the noise does. */
const USED_UP_MS = 4_000;

/**
 * Beside whom a calm tenant calls: nobody; a stranger, who is called as often as the noisy tenant but is a bare server of its own
 * on this machine, for what two processors and a disk do to neighbours by themselves; the noisy tenant.
 */
const COMPANIES = ['alone', 'stranger', 'noisy'] as const;
type Company = (typeof COMPANIES)[number];

/** When a calm tenant's call was sent, on the clock, and how long it took. */
interface CalmCall {
  readonly sentMs: number;
  readonly ms: number;
}

/** A calm tenant's calls in each company. */
type Round = Readonly<Record<Company, readonly CalmCall[]>>;

/** Where the platform lives, and the upstream of its tenants' tools. */
interface Stage {
  readonly dataDir: string;
  readonly port: number;
  readonly upstreamPort: number;
}

/** Who calls, and what company it has. */
interface Cast {
  readonly calm: BenchTenant;
  readonly noises: Readonly<Record<Exclude<Company, 'alone'>, Noise>>;
}

/**
 * How long a calm tenant's calls take alone and beside a neighbour that sends twenty times its share, round by round; and
 * what a call costs that is refused, beside one that is served.
 */
export async function measureFairness(report: Report, { dataDir, port, upstreamPort }: Stage): Promise<void> {
  const [wharf, stranger] = [await launch(dataDir, port), await startListening('raw', String(upstreamPort))];
  try {
    await planOf(wharf, 'fair', PER_MINUTE * 10);
    const [calm, noisy] = [
      await publishTenant(wharf, upstreamPort, 'calm', 'echo', 'fair'),
      await publishTenant(wharf, upstreamPort, 'noisy', 'echo', 'fair'),
    ];
    await warm(wharf, calm, noisy);
    const strange = { ...noisy, echoUrl: `http://127.0.0.1:${stranger.port}/` };
    const noises = { stranger: noiseOf(strange), noisy: noiseOf(noisy) };
    const watch = await StallWatch.start();
    const rounds: Round[] = [];
    for (let round = 1; round <= ROUNDS; round += 1) rounds.push(await oneRound({ calm, noises }, round));
    const stalls = await watch?.stop();
    const all = everyCall((company) => rounds.flatMap((round) => round[company]));
    const lineOf = (round: string, calls: Round) => ({ round, calls: countOf(calls), ...figuresOf(calls) });
    report.table(`A calm tenant's p99, ms, ${CALLS} calls in a round: beside ${TIMES_ITS_SHARE} times a share`, [
      ...rounds.map((round, index) => lineOf(String(index + 1), round)),
      { round: 'the middle', calls: CALLS * COMPANIES.length, ...middleOf(rounds.map(figuresOf)) },
      lineOf('all', all),
      ...(stalls === undefined ? [] : [lineOf('without stalls', outside(stalls, all))]),
    ]);
    await measureRefusals(report, wharf, noisy);
  } finally {
    stranger.stop();
    await wharf.stop();
  }
}

async function warm(wharf: Launched, calm: BenchTenant, noisy: BenchTenant): Promise<void> {
  const flood = { url: noisy.echoUrl, bearer: noisy.apiKey, atOnce: FLOOD, request: LIST };
  await planOf(wharf, 'fair-unbound', 10_000_000, noisy.slug);
  await calmCalls(calm);
  await amid(flood, () => pause(WARM_MS));
  await planOf(wharf, 'fair-share', PER_MINUTE, noisy.slug);
  await amid(flood, () => pause(WARM_MS));
  await amid(noiseOf(noisy), () => calmCalls(calm));
}

function noiseOf({ echoUrl: url, apiKey: bearer }: BenchTenant): Noise {
  return { url, bearer, perSecond: SHARE_PER_SECOND * TIMES_ITS_SHARE, request: LIST };
}

/** Each company in turn; who is first in one round is last in the next. */
async function oneRound({ calm, noises }: Cast, round: number): Promise<Round> {
  const calls = new Map<Company, readonly CalmCall[]>();
  const first = round % COMPANIES.length;
  for (const company of [...COMPANIES.slice(first), ...COMPANIES.slice(0, first)]) {
    calls.set(company, company === 'alone' ? await calmCalls(calm) : await beside(noises[company], calm));
    await pause(SETTLE_MS);
  }
  return everyCall((company) => calls.get(company) ?? []);
}

/**
 * Whoever makes the noise has the lowest priority, and stops with the machine: what had too little of it is measured again.
 * @throws Error where the machine has no time for it
 */
async function beside(noise: Noise, calm: BenchTenant): Promise<readonly CalmCall[]> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    let calls: readonly CalmCall[] = [];
    const startedMs = performance.now();
    const ended = await amid(noise, async () => {
      await pause(USED_UP_MS);
      calls = await calmCalls(calm);
    });
    const made = Object.values(ended).reduce((sum, count) => sum + count, 0);
    const perSecond = (made * 1_000) / (performance.now() - startedMs);
    if (perSecond >= SHARE_PER_SECOND * TIMES_ITS_SHARE * NOISE_MIN) return calls;
    await pause(SETTLE_MS);
  }
  throw new Error(`the machine has no time for ${SHARE_PER_SECOND * TIMES_ITS_SHARE} calls a second as noise`);
}

/** Makes calls at a steady pace. @throws Error where one is refused */
async function calmCalls({ echoUrl, apiKey }: BenchTenant): Promise<readonly CalmCall[]> {
  const calls: CalmCall[] = [];
  while (calls.length < CALLS) {
    const [sentMs, startedMs] = [Date.now(), performance.now()];
    const headers = { ...LIST.headers, authorization: `Bearer ${apiKey}` };
    const answer = await fetch(echoUrl, { method: 'POST', headers, body: LIST.body });
    await answer.text();
    if (answer.status !== 200) throw new Error(`the calm tenant was answered ${answer.status}`);
    calls.push({ sentMs, ms: performance.now() - startedMs });
    await pause(Math.max(0, 1_000 / CALM_PER_SECOND - (performance.now() - startedMs)));
  }
  return calls;
}

function everyCall(of: (company: Company) => readonly CalmCall[]): Round {
  return { alone: of('alone'), stranger: of('stranger'), noisy: of('noisy') };
}

/** The calls that no stall of a processor has touched. */
function outside(stalls: readonly Stall[], round: Round): Round {
  const isUntouched = ({ sentMs, ms }: CalmCall): boolean =>
    !stalls.some(({ fromMs, toMs }) => fromMs < sentMs + ms && toMs > sentMs);
  return everyCall((company) => round[company].filter(isUntouched));
}

/** p99 in each company, and what comes of dividing them. */
const FIGURES = ['alone', 'beside a stranger', 'beside the noisy one', 'noisy / alone', 'noisy / stranger'] as const;
type Figures = Readonly<Record<(typeof FIGURES)[number], number>>;

function figuresOf(calls: Round): Figures {
  const p99 = (company: Company): number =>
    percentile(
      calls[company].map(({ ms }) => ms),
      0.99,
    );
  const [alone, stranger, noisy] = [p99('alone'), p99('stranger'), p99('noisy')];
  return {
    alone,
    'beside a stranger': stranger,
    'beside the noisy one': noisy,
    'noisy / alone': noisy / alone,
    'noisy / stranger': noisy / stranger,
  };
}

/** Each figure's middle: a round in which the machine stood still for a while is one of many there. */
function middleOf(rows: readonly Figures[]): Record<string, number> {
  return Object.fromEntries(FIGURES.map((figure) => [figure, median(rows.map((row) => row[figure]))]));
}

function countOf(round: Round): number {
  return COMPANIES.reduce((sum, company) => sum + round[company].length, 0);
}
