import { setTimeout as pause } from 'node:timers/promises';
import type { Fault } from './catalogue/fault.js';
import { networkFaults } from './catalogue/links.js';
import { killed, stoodStill, terminated } from './catalogue/processes.js';
import { stores } from './catalogue/stores.js';
import { changes, fullDisks, skewedClocks } from './catalogue/surroundings.js';
import { KINDS } from './platform/replica.js';
import { MANY, startPlatform, type Platform } from './platform/platform.js';
import { readRecords } from './report/audit.js';
import { faultsOf, rowsOf, tableOf, type Outcome } from './report/table.js';
import { Ledger } from './traffic/ledger.js';
import { gatewayDoors, managementDoors, untilRecovered, type Recovered } from './traffic/recovery.js';
import { Traffic } from './traffic/traffic.js';

const SICK_MS = 6_000;
const SHOWN_MAX = 40;
/** A recovery that takes longer is told with what was wrong last. */
const TOLD_AFTER_SECONDS = 3;
const say = (text: string): void => void process.stdout.write(`${text}\n`);

/** Runs the faults whose names begin as one of these, or all, and begins none after so many minutes; prints the table and returns how many broke a promise. */
export async function runFaults(names: readonly string[], minutes: number): Promise<number> {
  const chosen = (name: string): boolean => names.length === 0 || names.some((start) => name.startsWith(start));
  const startedMs = performance.now();
  say(`Starting ${KINDS.map((kind) => `${MANY[kind]} × ${kind}`).join(', ')}, PostgreSQL and Redis …`);
  const platform = await startPlatform(MANY);
  try {
    const ledger = new Ledger(platform.tenants.map(({ mark }) => mark));
    const traffic = await Traffic.start(platform, ledger);
    await warmUp(platform, traffic, ledger);
    await traffic.untilWell();
    const outcomes = await fallSick(platform, traffic, ledger, chosen);
    ledger.row = 'between';
    for (const fault of faultsFor(platform).filter(({ name }) => chosen(name))) {
      const late = performance.now() - startedMs > minutes * 60_000 ? { skipped: `${minutes} minutes are over` } : {};
      outcomes.push(await bringAbout({ ...fault, ...late }, platform, traffic, ledger));
    }
    ledger.row = 'after';
    await traffic.stop();
    // Calls that belong to no fault are looked for in the audit log like all others.
    outcomes.push(
      ...['before', 'between', 'after'].map((name) => ({ name, calls: 'may fail' as const, recovered: [] })),
    );
    const records = await readRecords(platform);
    const evidence = { ledger, heard: platform.upstreams.heard, records, asides: traffic.asides };
    const rows = rowsOf(outcomes, evidence);
    const wrong = rows.flatMap((row) => faultsOf(row).map((text) => `${row.fault}: ${text}`));
    const crashes = KINDS.flatMap((kind) => platform.replicas[kind].flatMap((one) => one.crashes));
    say(`\n${tableOf(rows)}\n`);
    const calls = ledger.calls.length;
    say(
      `${calls} calls of ${platform.tenants.length} tenants in ${((performance.now() - startedMs) / 60_000).toFixed(1)} minutes.`,
    );
    for (const text of [...wrong, ...crashes].slice(0, SHOWN_MAX)) say(`  ${text}`);
    const bad = rows.filter((row) => faultsOf(row).length > 0).length + (crashes.length > 0 ? 1 : 0);
    const skipped = outcomes.filter((outcome) => outcome.skipped !== undefined).length;
    if (skipped > 0) say(`${skipped} of ${rows.length} were SKIPPED and show nothing.`);
    say(`${Math.max(0, rows.length - skipped - bad)} passed, ${bad} failed`);
    return bad;
  } finally {
    await platform.stop();
  }
}

/** Nothing is broken before everything is well. @throws Error with how calls were answered, where it does not become so */
async function warmUp(platform: Platform, traffic: Traffic, ledger: Ledger): Promise<void> {
  const doors = [...gatewayDoors(platform, traffic), ...managementDoors(platform)];
  const ill = (await untilRecovered(doors, performance.now())).filter(({ seconds }) => seconds === undefined);
  if (ill.length === 0) return;
  const answers = ledger.calls.slice(-3).map(({ answer }) => JSON.stringify(answer ?? 'no answer'));
  throw new Error(`The platform is not well before any fault: ${ill.map(({ name }) => name).join(', ')}; ${answers}`);
}

function faultsFor(platform: Platform): Fault[] {
  return [
    ...killed(platform),
    ...terminated(platform),
    ...fullDisks(platform),
    ...skewedClocks(platform),
    ...stoodStill(platform),
    ...networkFaults(platform),
    ...stores(platform),
    ...changes(platform),
  ];
}

async function bringAbout(fault: Fault, platform: Platform, traffic: Traffic, ledger: Ledger): Promise<Outcome> {
  const { name, calls, skipped } = fault;
  if (skipped !== undefined) {
    say(`  SKIPPED ${name}: ${skipped}`);
    return { name, calls, skipped, recovered: [] };
  }
  // What the fault before did to a client is not this one's.
  await traffic.untilWell();
  ledger.row = name;
  try {
    await fault.run();
  } catch (error) {
    return { name, calls, recovered: [], problem: `could not be brought about: ${String(error)}` };
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
  return { name, calls, recovered, ...(problem === undefined ? {} : { problem }) };
}

/** Every upstream that can fall sick does at once, each under calls of its own; the one that is well is called as before. */
async function fallSick(
  platform: Platform,
  traffic: Traffic,
  ledger: Ledger,
  chosen: (name: string) => boolean,
): Promise<Outcome[]> {
  const sick = platform.upstreams.sick.filter(({ fault }) => chosen(fault));
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
      return { name, calls: 'may fail', recovered };
    }),
  );
  return [...outcomes, { name: 'other-upstreams', calls: 'must succeed', recovered: [] }];
}

function sentenceOf({ name, seconds, last }: Recovered): string {
  const late = seconds === undefined || seconds > TOLD_AFTER_SECONDS;
  return `${name} ${seconds?.toFixed(1) ?? 'never'}${late && last !== undefined ? ` (${last})` : ''}`;
}
