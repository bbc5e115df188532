import { cpus } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { startPlatform, type Copies, type Platform } from '../faults/platform/platform.js';
import { bareCallUs } from './bare-call.js';
import { agrees, comparisonsOf, type Run } from './comparison.js';
import { plannedSizes } from './formula.js';
import { callMany, openSessions, toolOf } from './load.js';
import { read, type Reading } from './reading.js';

const COPIES: Copies = { gateway: 1, 'worker-runtime': 1, 'control-plane': 1, 'auth-server': 1, background: 1 };
const TENANTS = 6;
const SESSIONS_EACH = 40;
const SESSIONS_BEFORE_EACH = 5;
const ROUNDS = 5;
const CALLS_EACH = 400;
/** Until compilers have done their work: a call costs several times as much before. */
const WARM_CALLS_EACH = 4_000;
const SETTLE_MS = 9_000;
const say = (text: string): void => void process.stdout.write(`${text}\n`);

/** Prints what the formula says of a small load beside what that took, and sizes up to a million sessions; whether they agree. */
export async function checkFormula(): Promise<boolean> {
  const wanted = Array.from({ length: TENANTS }, (_, index) => ({ slug: `t${index + 1}`, mode: 'disk' as const }));
  const bareUs = await bareCallUs();
  say(`A call costs a bare SDK server ${bareUs.toFixed(0)} µs of this machine.`);
  say(`Starting one of each service for ${TENANTS} tenants …`);
  const platform = await startPlatform(COPIES, wanted);
  try {
    const comparisons = comparisonsOf({ ...(await carry(platform)), bareCallUs: bareUs });
    say('| what | formula | measured | measured / formula |\n| --- | ---: | ---: | ---: |');
    for (const { what, predicted, measured } of comparisons) {
      say(`| ${what} | ${predicted.toFixed(1)} | ${measured.toFixed(1)} | ${(measured / predicted).toFixed(2)} |`);
    }
    const [headings = [], ...rows] = plannedSizes();
    const lines = [headings, headings.map(() => '---:'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
    say(`\n${lines.join('\n')}\n`);
    const apart = comparisons.filter((comparison) => !agrees(comparison));
    for (const { what, factor } of apart) say(`  ${what}: formula and measurement are more than ${factor} × apart.`);
    const unjudged = comparisons.filter(({ factor }) => factor === 'not judged').length;
    if (unjudged > 0) say(`${unjudged} of CPU were NOT JUDGED: others use this machine. Measure on one that is quiet.`);
    say(`${comparisons.length - apart.length - unjudged} passed, ${apart.length} failed`);
    return apart.length === 0;
  } finally {
    await platform.stop();
  }
}

async function carry(platform: Platform): Promise<Omit<Run, 'bareCallUs'>> {
  const { tenants, url } = platform;
  let made = 0;
  const calls = async (each: number): Promise<void> => {
    await Promise.all(tenants.map((tenant) => callMany(toolOf(url, tenant), each)));
    made += each * TENANTS;
  };
  const settled = async (): Promise<Reading> => {
    await pause(SETTLE_MS);
    return read(platform, made);
  };
  // The first sessions and calls pay for code, caches and heaps that have grown: what counts is what more of them cost.
  say(`Warming up, then ${TENANTS * SESSIONS_EACH} sessions and ${ROUNDS} times ${TENANTS * CALLS_EACH} calls …`);
  await calls(WARM_CALLS_EACH);
  await Promise.all(tenants.map((tenant) => openSessions(url, tenant, SESSIONS_BEFORE_EACH)));
  const before = await settled();
  await Promise.all(tenants.map((tenant) => openSessions(url, tenant, SESSIONS_EACH)));
  const idle = await settled();
  const rested = await settled();
  const rounds: Reading[] = [];
  for (let round = 1; round <= ROUNDS; round += 1) {
    await calls(CALLS_EACH);
    rounds.push(await settled());
  }
  return {
    tenants: TENANTS,
    sessionsBefore: TENANTS * SESSIONS_BEFORE_EACH,
    sessionsOpened: TENANTS * SESSIONS_EACH,
    callsOfRound: TENANTS * CALLS_EACH,
    processors: cpus().length,
    before,
    idle,
    rested,
    rounds,
  };
}
