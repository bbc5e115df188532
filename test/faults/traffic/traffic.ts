import { setTimeout as pause } from 'node:timers/promises';
import type { Platform } from '../platform/platform.js';
import { Agent } from './agent.js';
import type { Ledger } from './ledger.js';
import { MachineTokens } from './machine-tokens.js';

const EVERY_MS = 120;
const SICK_EVERY_MS = 100;
const PATIENCE_MS = 40_000;
/** How long each agent has for its next good call. */
const WELL_MS = 90_000;
const LOOK_MS = 100;

/** Requests of the management API and for tokens, beside the calls. */
export interface Asides {
  asked: number;
  failed: number;
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
      platform.tenants.map((tenant) =>
        MachineTokens.register(platform.url, tenant, (failed) => traffic.#noteAside(failed)),
      ),
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

  /** An agent of a tenant, at the balancer or at another origin. */
  agentOf(
    tenant: Platform['tenants'][number],
    era: 'modern' | 'legacy',
    bearer: () => Promise<string> = () => Promise.resolve(tenant.key),
    { origin = this.platform.url, patienceMs = PATIENCE_MS } = {},
  ): Agent {
    const { ledger } = this;
    return new Agent({ url: `${origin}${tenant.path}`, mark: tenant.mark, era, ledger, bearer, patienceMs });
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
        if (await agent.call()) this.#good[index] = (this.#good[index] ?? 0) + 1;
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
        this.#noteAside((await askServers(this.platform.url, key)) !== undefined);
        await next;
      }
    };
    this.#loops.push(loop());
  }

  #noteAside(failed: boolean): void {
    const { row } = this.ledger;
    const before = this.asides.get(row) ?? { asked: 0, failed: 0 };
    this.asides.set(row, { asked: before.asked + 1, failed: before.failed + (failed ? 1 : 0) });
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
