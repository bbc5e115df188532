import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { MOMENTS, type Moment, type Reached, type Scene } from './moments.fixture.js';
import type { Mortal } from './processes.fixture.js';
import { faultsIn } from './readings.fixture.js';
import { openStage, type Stage } from './stage.fixture.js';
import { Traffic, type SeenCall } from './traffic.fixture.js';

/**
 * What carries rollouts is killed without warning while rollouts are in the middle of each thing that they do, every one
 * under the calls of agents of both eras: each ends where it has to, and no call is lost on the way.
 */
let stage: Stage;
jest.setTimeout(600_000);

beforeAll(async () => {
  stage = await openStage();
});
afterAll(async () => {
  await stage?.close();
});

/** Light enough for eight shops at once. */
const PACE = { agents: 4, everyMs: 400, keys: 8, afterReset: 'once more' } as const;

/** A shop under traffic, and what a moment is to make of it. */
interface Case {
  readonly moment: Moment;
  readonly scene: Scene;
  readonly traffic: Traffic;
}

/** What a case came to. */
interface Row {
  readonly step: string;
  readonly at: readonly [string, number];
  readonly end: string;
  /** What each gateway answers from when all is over. */
  readonly serves: readonly (string | undefined)[];
  readonly calls: number;
  readonly resent: number;
  /** Calls that failed, or that another release answered than had run. */
  readonly failed: readonly unknown[];
  readonly duplicated: readonly string[];
  readonly seconds: number;
}

async function openCase(fault: string, moment: Moment): Promise<Case> {
  const slug = `${fault} ${moment.name}`.toLowerCase().replaceAll(' ', '-');
  const shop = await stage.newShop(slug);
  const traffic = await Traffic.start(shop, slug, PACE);
  return { moment, scene: { stage, shop, slug, traffic }, traffic };
}

/** Brings every case to its moment, kills, lets all of them go on, and starts again what was killed. */
async function meet(killed: Mortal, cases: readonly Case[]): Promise<readonly Row[]> {
  const near = await Promise.all(cases.map(({ moment, scene }) => moment.approach(scene)));
  const reached: Reached[] = [];
  for (const [index, { moment, scene }] of cases.entries()) reached.push(await moment.reach(scene, near[index]));
  await Promise.all(reached.map((one) => one.stands()));
  const seen = await Promise.all(cases.map(({ scene: { shop } }, index) => shop.look(reached[index]?.id ?? '')));
  const killedMs = performance.now();
  await killed.kill();
  await Promise.all(reached.map((one) => one.letGo()));
  await Promise.all(cases.map(({ traffic }) => traffic.more(10)));
  await killed.start();
  return Promise.all(
    cases.map((one, index) => {
      const rollout = seen[index];
      return rowOf(one, rollout?.id ?? '', [rollout?.state ?? '', rollout?.percent ?? 0], killedMs);
    }),
  );
}

async function rowOf(
  { moment, scene: { shop }, traffic }: Case,
  id: string,
  at: Row['at'],
  sinceMs: number,
): Promise<Row> {
  const ended = await shop.until(id, ({ ended_at }) => ended_at !== null);
  const seconds = Math.round((performance.now() - sinceMs) / 100) / 10;
  await traffic.more(20);
  const serves = await stage.servedBy(shop);
  const calls = await traffic.stop();
  return {
    step: moment.name,
    at,
    end: ended.state,
    serves,
    calls: calls.length,
    resent: traffic.resent.length,
    failed: faultsOf(calls),
    duplicated: [...calls.map(({ id: call }) => call), ...traffic.resent].filter(
      (call) => stage.counter.releasesOf(call).length > 1,
    ),
    seconds,
  };
}

/** Calls that failed, ran twice or never, or were answered by another release than ran. */
function faultsOf(calls: readonly SeenCall[]): unknown[] {
  // The release that is to be taken back answers with errors of its own.
  const isItsOwn = ({ id, failure }: SeenCall): boolean =>
    failure?.includes('isError') === true && stage.counter.releasesOf(id).join(' ') === 'turning';
  return faultsIn(
    stage.counter,
    calls.filter((call) => !isItsOwn(call)),
  );
}

function print(fault: string, rows: readonly Row[]): void {
  const cells = rows.map(({ step, end, serves, calls, resent, failed, duplicated, seconds }) =>
    [step, end, serves.join(' '), calls, resent, failed.length, duplicated.length, seconds].map(String),
  );
  const table = [['step', 'end', 'serves', 'calls', 'resent', 'failed', 'duplicated', 'seconds'], ...cells];
  const widths = table[0]?.map((_, at) => Math.max(...table.map((line) => line[at]?.length ?? 0))) ?? [];
  const lines = table.map((line) => `  ${line.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join('  ')}`);
  process.stdout.write(`\n  ${fault} killed\n${lines.join('\n')}\n`);
}

test.each(['controller', 'Redis', 'gateway'] as const)(
  'a killed %s leaves every rollout where it has to end, whatever it was doing',
  async (fault) => {
    const killed = { controller: stage.background, Redis: stage.redis, gateway: stage.gateways[0] }[fault];
    const cases = await Promise.all(MOMENTS.map((moment) => openCase(fault, moment)));
    const rows = await meet(killed, cases).finally(() => Promise.all(cases.map(({ traffic }) => traffic.stop())));
    print(fault, rows);
    expect(rows.map(({ step, at, end, serves }) => ({ step, at, end, serves }))).toEqual(
      MOMENTS.map(({ name: step, at, ends: { state: end, serves } }) => ({ step, at, end, serves: [serves, serves] })),
    );
    expect(rows.flatMap(({ failed, duplicated }) => [...failed, ...duplicated])).toEqual([]);
    // Only a gateway has connections to reset.
    if (fault !== 'gateway') expect(rows.map(({ resent }) => resent)).toEqual(rows.map(() => 0));
  },
);
