import { setTimeout as pause } from 'node:timers/promises';
import type { Platform } from '../platform/platform.js';
import type { StageTenant } from '../platform/tenants.js';
import { Agent } from './agent.js';
import type { Ledger } from './ledger.js';
import { MachineTokens } from './machine-tokens.js';

const EVERY_MS = 120;
const SLOW_EVERY = 4;
const SICK_EVERY_MS = 100;
const PATIENCE_MS = 40_000;
/** How long each agent has for its next good call. */
const WELL_MS = 90_000;
const LOOK_MS = 100;

/** Requests of the management API and for tokens, beside the calls: how many there were, and what came of those that failed. */
export interface Asides {
  asked: number;
  readonly failures: string[];
}

/** What real MCP clients do all the while: for each tenant one of each era with its key, and one with access tokens. */
export class Traffic {
  readonly asides = new Map<string, Asides>();
  #running = true;
  readonly #loops: Promise<void>[] = [];
  /** Of each agent that calls on, how many of its calls were good. */
  readonly #good: number[] = [];

  private constructor(
    private readonly platform: Platform,
    private readonly ledger: Ledger,
    private readonly sessionCalls: number,
  ) {}

  /** `sessionCalls`: after so many calls, an agent forgets its session and begins another. */
  static async start(platform: Platform, ledger: Ledger, sessionCalls = Infinity): Promise<Traffic> {
    const tokens = await Promise.all(
      platform.tenants.map((tenant) => MachineTokens.register(platform.url, tenant, () => traffic.#beginAside())),
    );
    const traffic: Traffic = new Traffic(platform, ledger, sessionCalls);
    for (const [index, tenant] of platform.tenants.entries()) {
      const key = () => Promise.resolve(tenant.key);
      const token = () => tokens[index]?.get() ?? key();
      for (const era of ['modern', 'legacy'] as const) traffic.#callOn(traffic.agentOf(tenant, era, key));
      traffic.#callOn(traffic.agentOf(tenant, 'modern', token));
      traffic.#askOn(tenant.managementKey);
    }
    return traffic;
  }

  /** An agent of a tenant, at the balancer. */
  agentOf(
    tenant: StageTenant,
    era: 'modern' | 'legacy',
    bearer: () => Promise<string> = () => Promise.resolve(tenant.key),
  ): Agent {
    const { ledger } = this;
    const url = `${this.platform.url}${tenant.path}`;
    return new Agent({ url, mark: tenant.mark, era, ledger, bearer, patienceMs: PATIENCE_MS, as: 'client' });
  }

  /** One that asks at the door of one gateway whether it is well. */
  probeOf(tenant: StageTenant, origin: string, patienceMs: number): Agent {
    const { ledger } = this;
    const bearer = () => Promise.resolve(tenant.key);
    const url = `${origin}${tenant.path}`;
    return new Agent({ url, mark: tenant.mark, era: 'modern', ledger, bearer, patienceMs, as: 'probe' });
  }

  /** Calls one tool in a row of its own until `over` resolves. */
  async callWhile(agent: Agent, tool: string, row: string, over: Promise<unknown>): Promise<void> {
    const state = { going: true };
    const ended = over.then(() => void (state.going = false));
    while (state.going) {
      await agent.call(tool, row);
      await pause(SICK_EVERY_MS);
    }
    await ended;
  }

  /**
   * Waits until every agent has had an answer to a call that it began from now on, and so has a session that is there; no
   * longer than a minute and a half.
   */
  async untilWell(): Promise<void> {
    const before = [...this.#good];
    const untilMs = performance.now() + WELL_MS;
    // The first may have begun before.
    const isWell = (good: number, index: number): boolean => good >= (before[index] ?? 0) + 2;
    while (!this.#good.every(isWell) && performance.now() < untilMs) await pause(LOOK_MS);
  }

  /** Ends all of it. */
  async stop(): Promise<void> {
    this.#running = false;
    await Promise.all(this.#loops);
  }

  #callOn(agent: Agent): void {
    const index = this.#good.push(0) - 1;
    const loop = async (): Promise<void> => {
      for (let calls = 1; this.#running; calls += 1) {
        const next = pause(EVERY_MS);
        const tool = calls % SLOW_EVERY === 0 ? 'note_slowly' : 'note';
        if (await agent.call(tool)) this.#good[index] = (this.#good[index] ?? 0) + 1;
        if (calls % this.sessionCalls === 0) await agent.close();
        await next;
      }
      await agent.close();
    };
    this.#loops.push(loop());
  }

  /** Reads a page of the management API again and again. */
  #askOn(key: string): void {
    const loop = async (): Promise<void> => {
      while (this.#running) {
        const next = pause(EVERY_MS * 4);
        const over = this.#beginAside();
        over(await askServers(this.platform.url, key));
        await next;
      }
    };
    this.#loops.push(loop());
  }

  /** Counts a request that begins now; what is returned is told how it failed, if it did. */
  #beginAside(): (failure: string | undefined) => void {
    const { row } = this.ledger;
    const asides = this.asides.get(row) ?? { asked: 0, failures: [] };
    this.asides.set(row, asides);
    asides.asked += 1;
    return (failure) => void (failure === undefined || asides.failures.push(failure));
  }
}

/** Has a control-plane list a tenant's servers; says what is wrong where it does not. */
export async function askServers(origin: string, key: string, patienceMs = PATIENCE_MS): Promise<string | undefined> {
  try {
    const headers = { authorization: `Bearer ${key}` };
    const answer = await fetch(`${origin}/v1/servers`, { headers, signal: AbortSignal.timeout(patienceMs) });
    const text = await answer.text();
    return answer.ok && text.includes('notes') ? undefined : `${answer.status} ${text.slice(0, 200)}`;
  } catch (error) {
    return String(error);
  }
}
