import { rmSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { connectWithApiKey, type Agent } from '#libs/journey';
import { until } from '#libs/testing';
import { startBalancer, type Replicas } from './balancer.fixture.js';
import { openFilledTenant, type FilledTenant } from './filled-tenant.fixture.js';
import { buildLastRelease } from './last-release.fixture.js';
import { metricOf, ReleasesStage, type Built, type Running } from './releases-stage.fixture.js';

const NEW: Built = path.resolve('.');
/** Generous: ten services start, and machines of CI are shared. */
const SWITCH_MS = 900_000;
const SESSIONS = 6;
const ROUNDS = 3;
const CALLERS = ['auth-server', 'control-plane', 'gateway', 'background'] as const;

/** One half of the platform, as a release's overlay has it. */
interface Half extends Replicas {
  readonly runtime: Running;
  readonly services: readonly Running[];
  stop(): Promise<void>;
}

let old: Built;
let stage: ReleasesStage;
let tenant: FilledTenant | undefined;
const halves: Half[] = [];
const agents: Agent[] = [];

beforeAll(async () => {
  old = await buildLastRelease();
  stage = await ReleasesStage.open();
}, SWITCH_MS);

afterAll(async () => {
  await Promise.all(agents.map(({ client }) => client.close()));
  await tenant?.close();
  await Promise.all(halves.map((half) => half.stop()));
  await stage?.close();
  if (old !== undefined) rmSync(old, { recursive: true, force: true });
});

async function startHalf(
  release: Built,
  socket: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<Half> {
  const runtime = await stage.start(release, 'worker-runtime', [socket]);
  const started = await Promise.all(CALLERS.map((name) => stage.start(release, name, [socket], settings)));
  const [auth, control, gateway] = started.map((one) => [one]) as [Running[], Running[], Running[]]; // in CALLERS' order
  const half = {
    runtime,
    services: started,
    auth,
    control,
    gateway,
    stop: async () => {
      await Promise.all(started.map((one) => one.stop()));
      await runtime.stop();
    },
  };
  halves.push(half);
  return half;
}

const isReady = ({ port }: Running): Promise<boolean> =>
  fetch(`http://127.0.0.1:${port}/readyz`).then(
    ({ ok }) => ok,
    () => false,
  );

const workersOf = ({ runtime }: Half): Promise<number> => metricOf(runtime, /^wharf_workers[{ ]/);

/** An agent of the 2025 era, which has a session and a stream. */
async function openSession(): Promise<Agent> {
  const agent = await connectWithApiKey(tenant?.agents ?? { url: '', apiKey: '' });
  expect(agent.client.getNegotiatedProtocolVersion()).toMatch(/^2025-/);
  agents.push(agent);
  return agent;
}

/** How each of these sessions' calls was answered, several of each. */
async function answersOf(sessions: readonly Agent[]): Promise<readonly string[]> {
  const call = async ({ client }: Agent): Promise<string> => {
    const { isError } = await client.callTool({ name: 'books', arguments: {} });
    return isError === true ? 'an error of the tool' : 'ok';
  };
  const answers: string[] = [];
  for (let round = 0; round < ROUNDS; round += 1)
    answers.push(...(await Promise.all(sessions.map((session) => call(session).catch(String)))));
  return [...new Set(answers)];
}

test(
  'sessions of the last release go on through a half of this one, and new ones begin there, as the steps of an operator say',
  async () => {
    const [blueSocket, greenSocket] = [stage.newSocket(), stage.newSocket()];
    await stage.migrate(old);
    const blue = await startHalf(old, blueSocket);
    const balancer = await startBalancer(stage.port, blue);
    try {
      tenant = await openFilledTenant(stage.url, stage.operatorKey);
      const before = await Promise.all(Array.from({ length: SESSIONS }, openSession));
      expect(await answersOf(before)).toEqual(['ok']);

      // Step 1: everything of green is applied at once; its services wait for its job, and blue goes on.
      const green = await startHalf(NEW, greenSocket, {
        WHARF_RUNTIME_SOCKETS_HOLDING: blueSocket,
        WHARF_SCHEMA_WAIT_SECONDS: '900',
      });
      expect(await Promise.all(green.services.map(isReady))).toEqual([false, false, false, false]);
      const calls = tenant.callOn(4, 10);
      await stage.migrateUnderReaders(NEW);
      for (const service of green.services) await until(() => isReady(service), 'a service of green that is ready');

      // Step 2: the switch.
      balancer.switchTo(green);
      const held = await workersOf(blue);
      expect(await answersOf(before)).toEqual(['ok']);
      const young = await Promise.all(Array.from({ length: SESSIONS }, openSession));
      expect(await answersOf([...before, ...young])).toEqual(['ok']);
      expect([held > 0, await workersOf(blue), (await workersOf(green)) > 0]).toEqual([true, held, true]);

      // The way back, which knows nothing of green's runtimes.
      balancer.switchTo(blue);
      expect(await answersOf(before)).toEqual(['ok']);
      expect((await answersOf(young.slice(0, 1)))[0]).not.toBe('ok');

      balancer.switchTo(green);
      const answers = await calls.stop();
      expect(answers.length).toBeGreaterThan(10);
      expect(stage.failuresAmong(answers)).toEqual([]);

      // Step 3: blue is deleted.
      await blue.stop();
      expect(await answersOf(young.slice(1))).toEqual(['ok']);
      const gone = await answersOf(before.slice(0, 1));
      for (const answer of gone) expect(answer).toMatch(/"code":-31005/);
      expect(await answersOf([await openSession()])).toEqual(['ok']);
    } finally {
      await balancer.close();
    }
  },
  SWITCH_MS,
);
