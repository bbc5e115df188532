import { setTimeout as pause } from 'node:timers/promises';
import type { Platform } from '../platform/platform.js';
import { askServers, type Traffic } from './traffic.js';

const IN_A_ROW = 20;
const MANAGEMENT_IN_A_ROW = 5;
const PATIENCE_MS = 10_000;
const MANAGEMENT_PATIENCE_MS = 15_000;
const AGAIN_MS = 50;
/** Longer than a breaker is open, and than any limit of a wait that the platform has, on a machine that is slow. */
export const RECOVERY_MS = 180_000;

/** Something that is asked again and again through one replica. */
export interface Door {
  readonly name: string;
  /** How many successes in a row show that it is well. */
  readonly inARow: number;
  /** Asks once; says what is wrong where something is. */
  ask(): Promise<string | undefined>;
  close?(): Promise<void>;
}

/** When a door was found to be well again. */
export interface Recovered {
  readonly name: string;
  /** Seconds from the fault's end to the first of so many successes in a row; undefined where they did not come. */
  readonly seconds: number | undefined;
  /** What was wrong the last time that something was. */
  readonly last: string | undefined;
}

/** A call of a tool through each gateway by itself, of tenants in turn. */
export function gatewayDoors(platform: Platform, traffic: Traffic, tool = 'note', row?: string): Door[] {
  return platform.gateways.map(({ link }, index) => {
    const tenant = platform.tenants[index % platform.tenants.length];
    if (tenant === undefined) throw new Error('there are tenants');
    const agent = traffic.probeOf(tenant, `http://127.0.0.1:${link.port}`, PATIENCE_MS);
    return {
      name: `gateway ${index + 1}`,
      inARow: IN_A_ROW,
      ask: async () => ((await agent.call(tool, row)) ? undefined : agent.lastFailure),
      close: () => agent.close(),
    };
  });
}

/** A page of the management API through each control-plane, and whether each authorization server is ready. */
export function managementDoors(platform: Platform): Door[] {
  const key = platform.tenants[0]?.managementKey ?? '';
  return [
    ...platform.replicas['control-plane'].map(({ port }, index) => ({
      name: `control-plane ${index + 1}`,
      inARow: MANAGEMENT_IN_A_ROW,
      ask: () => askServers(`http://127.0.0.1:${port}`, key, MANAGEMENT_PATIENCE_MS),
    })),
    ...platform.replicas['auth-server'].map(({ port }, index) => ({
      name: `auth-server ${index + 1}`,
      inARow: MANAGEMENT_IN_A_ROW,
      ask: () => askReady(`http://127.0.0.1:${port}`),
    })),
  ];
}

async function askReady(origin: string): Promise<string | undefined> {
  try {
    const answer = await fetch(`${origin}/readyz`, { signal: AbortSignal.timeout(MANAGEMENT_PATIENCE_MS) });
    const text = await answer.text();
    // One stays ready while PostgreSQL is away, and says so.
    return answer.ok && !text.includes('warning: PostgreSQL') ? undefined : `${answer.status} ${text.slice(0, 200)}`;
  } catch (error) {
    return String(error);
  }
}

/** Asks at every door until so many answers in a row are good, or three minutes are over. */
export function untilRecovered(doors: readonly Door[], endedMs: number): Promise<readonly Recovered[]> {
  return Promise.all(
    doors.map(async ({ name, inARow, ask, close }) => {
      let good = 0;
      let wellMs = 0;
      let last: string | undefined;
      while (good < inARow && performance.now() < endedMs + RECOVERY_MS) {
        const wrong = await ask();
        if (wrong === undefined) {
          if (good === 0) wellMs = performance.now();
          good += 1;
        } else {
          good = 0;
          last = wrong;
          await pause(AGAIN_MS);
        }
      }
      await close?.();
      return { name, seconds: good < inARow ? undefined : (wellMs - endedMs) / 1_000, last };
    }),
  );
}
