import { cpus, loadavg } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { FAULTS } from './catalogue/catalogue.js';
import { ANY, eased, NOTHING, type Cost, type Fault } from './catalogue/fault.js';
import type { Options } from './options.js';
import { KINDS } from './platform/replica.js';
import { MANY, startPlatform, type Platform } from './platform/platform.js';
import { readRecords } from './report/audit.js';
import { countOf, faultsOf, rowsOf, type Outcome, type Row } from './report/rows.js';
import { tableOf } from './report/table.js';
import { Ledger } from './traffic/ledger.js';
import { gatewayDoors, managementDoors, untilRecovered, type Recovered } from './traffic/recovery.js';
import { Traffic } from './traffic/traffic.js';

const SICK_MS = 6_000;
/** An upstream that is sick fails its own calls, and nobody else's. */
const SICK: Cost = { ...NOTHING, calls: ANY, again: ANY };
const SHOWN_MAX = 40;
/** A recovery that takes longer is told with what was wrong last. */
const TOLD_AFTER_SECONDS = 3;
const say = (text: string): void => void process.stdout.write(`${text}\n`);

/** Brings about what is asked for; prints the table and returns how many broke a promise or were not brought about. */
export async function runFaults(options: Options): Promise<number> {
  const startedMs = performance.now();
  const load = loadNow();
  const isLate = (): boolean => performance.now() - startedMs > options.minutes * 60_000;
  say(`Starting ${KINDS.map((kind) => `${MANY[kind]} × ${kind}`).join(', ')}, PostgreSQL and Redis …`);
  const platform = await startPlatform(MANY);
  try {
    const ledger = new Ledger(platform.tenants.map(({ mark }) => mark));
    const traffic = await Traffic.start(platform, ledger);
    await warmUp(platform, traffic, ledger);
    await traffic.untilWell();
    const outcomes = await fallSick(platform, traffic, ledger, options);
    ledger.row = 'between';
    for (const fault of FAULTS.filter(({ name }) => options.names.includes(name))) {
      const skipped = whySkipped(fault, platform, options, isLate());
      if (skipped !== undefined) {
        say(`  SKIPPED ${fault.name}: ${skipped.why}`);
        outcomes.push({ name: fault.name, cost: fault.cost, skipped, recovered: [] });
      } else outcomes.push(await bringAbout(fault, options.slack, platform, traffic, ledger));
    }
    ledger.row = 'after';
    await traffic.stop();
    outcomes.push(...['before', 'between', 'after'].map((name) => ({ name, recovered: [] })));
    const records = await readRecords(platform);
    const rows = rowsOf(outcomes, { ledger, heard: platform.upstreams.heard, records, asides: traffic.asides });
    const minutes = ((performance.now() - startedMs) / 60_000).toFixed(1);
    say(`\n${tableOf(rows)}\n`);
    const machine = `${cpus().length} processors with a load of ${load.toFixed(0)} at first and ${loadNow().toFixed(0)} at last`;
    say(`${ledger.calls.length} calls of ${platform.tenants.length} tenants in ${minutes} minutes, on ${machine}.`);
    return tellVerdict(rows, crashesOf(platform));
  } finally {
    await platform.stop();
  }
}

function crashesOf({ replicas }: Platform): readonly string[] {
  return KINDS.flatMap((kind) => replicas[kind].flatMap((one) => one.crashes));
}

function tellVerdict(rows: readonly Row[], crashes: readonly string[]): number {
  const wrong = rows.flatMap((row) => faultsOf(row).map((text) => `${row.outcome.name}: ${text}`));
  for (const text of [...wrong, ...crashes].slice(0, SHOWN_MAX)) say(`  ${text}`);
  const { passed, failed } = countOf(rows);
  const skipped = rows.filter(({ outcome }) => outcome.skipped !== undefined).map(({ outcome }) => outcome.name);
  if (skipped.length > 0) say(`${skipped.length} were SKIPPED and show nothing: ${skipped.join(', ')}`);
  const bad = failed + (crashes.length > 0 ? 1 : 0);
  say(`${passed} passed, ${bad} failed`);
  return bad;
}

function whySkipped(
  { name, skipped }: Fault,
  platform: Platform,
  { minutes, maySkip }: Options,
  isLate: boolean,
): Outcome['skipped'] {
  const why = isLate ? `${minutes} minutes are over` : skipped?.(platform);
  return why === undefined ? undefined : { why, allowed: maySkip.includes(name) ? 'allowed' : 'not allowed' };
}

/** How many processes wanted a processor in the last minute. */
function loadNow(): number {
  return loadavg()[0] ?? 0;
}

/** Nothing is broken before everything is well. @throws Error with how calls were answered, where it does not become so */
async function warmUp(platform: Platform, traffic: Traffic, ledger: Ledger): Promise<void> {
  const doors = [...gatewayDoors(platform, traffic), ...managementDoors(platform)];
  const ill = (await untilRecovered(doors, performance.now())).filter(({ seconds }) => seconds === undefined);
  if (ill.length === 0) return;
  const answers = ledger.calls.slice(-3).map(({ answer }) => JSON.stringify(answer ?? 'no answer'));
  throw new Error(`The platform is not well before any fault: ${ill.map(({ name }) => name).join(', ')}; ${answers}`);
}

async function bringAbout(
  fault: Fault,
  slack: number,
  platform: Platform,
  traffic: Traffic,
  ledger: Ledger,
): Promise<Outcome> {
  const { name } = fault;
  const cost = eased(fault.cost, slack);
  // What the fault before did to a client is not this one's.
  await traffic.untilWell();
  ledger.faultBegins(name);
  try {
    await fault.run(platform);
  } catch (error) {
    return { name, cost, recovered: [], problem: `could not be brought about: ${String(error)}` };
  }
  const endedMs = performance.now();
  const doors = [...gatewayDoors(platform, traffic), ...managementDoors(platform)];
  const recovered = await untilRecovered(doors, endedMs);
  say(`  ${name}: ${recovered.map(sentenceOf).join(', ')}`);
  const ready = await Promise.allSettled(
    KINDS.flatMap((kind) => platform.replicas[kind].map((one) => one.untilReady())),
  );
  ledger.row = 'between';
  const problem = ready.flatMap((one) => (one.status === 'rejected' ? [String(one.reason).slice(0, 500)] : []))[0];
  return { name, cost, recovered, ...(problem === undefined ? {} : { problem }) };
}

/** Every upstream that can fall sick does at once, each under calls of its own; the one that is well is called as before. */
async function fallSick(
  platform: Platform,
  traffic: Traffic,
  ledger: Ledger,
  { names, slack }: Options,
): Promise<Outcome[]> {
  const sick = platform.upstreams.sick.filter(({ fault }) => names.includes(fault));
  if (sick.length === 0) return [];
  ledger.row = 'other-upstreams';
  const outcomes = await Promise.all(
    sick.map(async (origin, index): Promise<Outcome> => {
      const { fault: name, tool } = origin;
      const tenant = platform.tenants[index % platform.tenants.length];
      if (tenant === undefined) throw new Error('there are tenants');
      const agent = traffic.agentOf(tenant, index % 2 === 0 ? 'modern' : 'legacy');
      await agent.call(tool, name);
      origin.begin();
      await traffic.callWhile(agent, tool, name, pause(SICK_MS));
      origin.end();
      const recovered = await untilRecovered(gatewayDoors(platform, traffic, tool, name), performance.now());
      say(
        `  ${name}: ${recovered.map(({ name: door, seconds }) => `${door} ${seconds?.toFixed(1) ?? 'never'}`).join(', ')}`,
      );
      await agent.close();
      return { name, cost: SICK, recovered };
    }),
  );
  return [...outcomes, { name: 'other-upstreams', cost: eased(NOTHING, slack), recovered: [] }];
}

function sentenceOf({ name, seconds, last }: Recovered): string {
  const late = seconds === undefined || seconds > TOLD_AFTER_SECONDS;
  return `${name} ${seconds?.toFixed(1) ?? 'never'}${late && last !== undefined ? ` (${last})` : ''}`;
}
