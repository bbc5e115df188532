import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { until } from '#libs/testing';
import { Client } from 'pg';
import { Agent, type Told } from './agent.fixture.js';
import { SERVICES } from './killable-services.fixture.js';
import { startStage, type Stage } from './stage.fixture.js';

/** `npm run faults` makes ten thousand. */
const CALLS = Number(process.env['WHARF_FAULT_CALLS'] ?? 500);
const AGENTS = 12;
/** Something is killed every time so many calls have ended. */
const CALLS_BETWEEN = Math.max(60, CALLS / 60);
const VICTIMS = [...SERVICES, 'postgres', 'redis'] as const;
/** Answers that come after a call was taken up, whatever became of it. */
const AFTER_INTENT = new Set([200, 502, 504]);
/** Ends of a call that the upstream heard and the client was told is unavailable: what it did is not lost. */
const KNOWN_OUTCOME = /^(ok|tool_error|protocol_error|worker_failed|deadline|unavailable|cancelled)$/;
const MINUTES_MAX = 13;

let stage: Stage;

beforeAll(async () => {
  stage = await startStage();
}, 300_000);

afterAll(() => stage?.stop());

interface CallRecord {
  readonly digest: string;
  readonly outcome: string;
}

/** The log's records of calls, once every arrival has its number: what a spool brings a second time is dropped then. */
async function callRecords(): Promise<CallRecord[]> {
  const owner = new Client({ connectionString: stage.postgres.url });
  await owner.connect();
  await until(async () => {
    const { rows } = await owner.query<{ arriving: boolean }>(`select exists (select from audit_records) as arriving`);
    return rows[0]?.arriving === false;
  }, 'the number of every record');
  const { rows } = await owner.query<CallRecord>(
    `select details ->> 'arguments_digest' as digest, outcome from audit_log
     where event = 'call.completed' and details ->> 'method' = 'tools/call'`,
  );
  await owner.end();
  return rows;
}

async function kill(victim: (typeof VICTIMS)[number]): Promise<void> {
  if (victim === 'postgres' || victim === 'redis') await stage[victim].kill();
  else await stage.services.kill(victim);
}

/** Every kind once, then at random. */
function* victims(): Generator<(typeof VICTIMS)[number], never> {
  yield* VICTIMS;
  for (;;) yield VICTIMS[Math.floor(Math.random() * VICTIMS.length)] ?? 'gateway';
}

/** Makes all the calls while one thing after the other is killed; returns what was killed. */
async function callThroughFaults(told: Told): Promise<string[]> {
  const killed: string[] = [];
  const next = victims();
  let started = 0;
  let ended = 0;
  let killing: Promise<void> = Promise.resolve();
  const noteEnd = (): void => {
    ended += 1;
    if (ended % Math.floor(CALLS_BETWEEN) !== 0 || ended >= CALLS) return;
    const victim = next.next().value;
    killed.push(victim);
    killing = killing.then(() => kill(victim));
  };
  const work = async (index: number): Promise<void> => {
    const tenant = stage.tenants[index % stage.tenants.length];
    if (tenant === undefined) throw new Error('there are tenants');
    const agent = new Agent(tenant, index % 2 === 0 ? 'modern' : 'legacy', told);
    while (started < CALLS) {
      started += 1;
      const succeeded = await agent.call(`text ${started} of agent ${index}`);
      noteEnd();
      if (succeeded) continue;
      await killing;
      await stage.services.untilReady('gateway');
    }
    await agent.close();
  };
  await Promise.all(Array.from({ length: AGENTS }, (_, index) => work(index)));
  await killing;
  return killed;
}

/** Lets the gateway ship what it has, and what those before it left. */
async function settle(): Promise<void> {
  await stage.services.untilReady('gateway');
  await stage.services.finish('gateway');
  await stage.services.startAgain('gateway');
  await stage.services.finish('gateway');
}

test(
  'every call that an upstream saw has one record, and every reply its outcome, whatever is killed meanwhile',
  async () => {
    const told: Told = { sent: new Map(), answered: new Map() };
    const killed = await callThroughFaults(told);
    await settle();
    const records = Map.groupBy(await callRecords(), ({ digest }) => digest);
    const heardOf = [...told.sent].filter(([, text]) => stage.heard.has(text)).map(([digest]) => digest);
    const ranTwice = [...records.values()].filter((same) => same.length > 1);
    const unrecorded = heardOf.filter((digest) => !records.has(digest));
    const wrong = [...told.answered]
      .filter(([, { status }]) => AFTER_INTENT.has(status))
      .flatMap(([digest, { status, text }]) => {
        const outcome = records.get(digest)?.[0]?.outcome ?? 'no record';
        const known = status === 200 ? /^(ok|tool_error|protocol_error)$/ : /^(worker_failed|deadline|protocol_error)$/;
        return known.test(outcome) ? [] : [{ digest, status, outcome, text: text.slice(0, 200) }];
      });
    const unavailable = [...told.answered].filter(
      ([digest, { status }]) => status === 503 && stage.heard.has(told.sent.get(digest) ?? ''),
    );
    const unknown = unavailable.flatMap(([digest, { text }]) => {
      const outcomes = records.get(digest)?.map(({ outcome }) => outcome) ?? [];
      return outcomes.length === 1 && KNOWN_OUTCOME.test(outcomes[0] ?? '') ? [] : [{ digest, outcomes, text }];
    });
    process.stdout.write(
      `${told.sent.size} calls sent, ${stage.heard.size} heard upstream, ${told.answered.size} answered, ` +
        `${records.size} recorded (${[...records.values()].filter(([one]) => one?.outcome === 'interrupted').length} interrupted), ` +
        `${unavailable.length} heard and answered with 503; ` +
        `killed: ${killed.length} (${[...new Set(killed)].join(', ')})\n`,
    );
    expect({ unrecorded, ranTwice, wrong, unknown }).toEqual({ unrecorded: [], ranTwice: [], wrong: [], unknown: [] });
    expect(stage.services.crashes).toEqual([]);
    expect(stage.heard.size).toBeGreaterThan(CALLS / 2);
    expect(new Set(killed)).toEqual(new Set(VICTIMS));
  },
  MINUTES_MAX * 60_000,
);
