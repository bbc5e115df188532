import { SdkHttpError } from '@modelcontextprotocol/client';
import { connectWithApiKey, type Agent } from '#libs/journey';
import { z } from 'zod';
import type { RolloutShop } from './shop.fixture.js';

/** How a call ended, and which release said so. */
export interface SeenCall {
  readonly id: string;
  readonly era: '2025' | '2026';
  /** Whom a release is chosen for: the key's agent (2026), or the session (2025). */
  readonly caller: string;
  readonly release: string | undefined;
  readonly failure: string | undefined;
  /** When it was sent, as `Date.now()` has it. */
  readonly sentMs: number;
}

const SESSION_CALLS = 12;
/** Of the id of a call that is made once more. */
const AGAIN = '-again';

/** How many agents of both eras call, and how long each waits at least from one call to its next. */
export interface Pace {
  readonly agents?: number;
  readonly everyMs?: number;
  /** API keys that the agents of the 2026 era share. */
  readonly keys?: number;
  /** Whether a client makes a call once more, under an id of its own, whose connection was reset. */
  readonly afterReset?: 'fail' | 'once more';
}

/** An agent and whom a release is chosen for when it calls. */
interface Caller {
  readonly agent: Agent;
  readonly name: string;
}

/**
 * Calls a shop's tool from real MCP clients until it is told to stop: agents of the 2026 era with a key each, and agents
 * of the 2025 era, which open a session anew after some calls, and when they are told that theirs has ended.
 */
export class Traffic {
  readonly calls: SeenCall[] = [];
  /** Ids of calls that were made once more because their connection was reset. */
  readonly resent: string[] = [];
  /** Ids of calls of the 2025 era that were told that their session has ended; each was made once more in a new one. */
  readonly reopened: string[] = [];
  #running = true;
  #next = 0;
  #loops: Promise<void>[] = [];

  private constructor(
    private readonly shop: RolloutShop,
    private readonly name: string,
    private readonly everyMs: number,
    private readonly afterReset: NonNullable<Pace['afterReset']>,
  ) {}

  static async start(shop: RolloutShop, name: string, pace: Pace = {}): Promise<Traffic> {
    const { agents = 6, everyMs = 0, keys: length = 16, afterReset = 'fail' } = pace;
    const traffic = new Traffic(shop, name, everyMs, afterReset);
    const keys = await Promise.all(
      Array.from({ length }, (_, index) => shop.api.createApiKey(`${name} ${index}`, ['mcp'])),
    );
    const modern = await Promise.all(
      keys.map(async ({ text }, index) => ({
        agent: await connectWithApiKey({ url: shop.serverUrl, apiKey: text, protocol: '2026-07-28' }),
        name: `key ${index}`,
      })),
    );
    const half = Math.ceil(agents / 2);
    traffic.#loops = [
      ...Array.from({ length: half }, (_, index) =>
        traffic.#loopModern(modern.filter((__, at) => at % half === index)),
      ),
      ...Array.from({ length: agents - half }, () => traffic.#loopLegacy()),
    ];
    return traffic;
  }

  /** Resolves when so many calls have ended since it was asked. */
  async more(calls: number): Promise<void> {
    const until = this.calls.length + calls;
    while (this.calls.length < until && this.#running) await new Promise((resolve) => setTimeout(resolve, 10));
  }

  /** Ends all agents; returns every call. */
  async stop(): Promise<readonly SeenCall[]> {
    this.#running = false;
    await Promise.all(this.#loops);
    return this.calls;
  }

  /** In turn, so that every key has its share of the calls. */
  async #loopModern(callers: readonly Caller[]): Promise<void> {
    for (let turn = 0; this.#running; turn += 1) {
      const caller = callers[turn % callers.length];
      if (caller !== undefined) await this.#paced(() => this.#call(caller, '2026', this.#id()));
    }
    await Promise.all(callers.map(({ agent }) => agent.close().catch(() => undefined)));
  }

  async #loopLegacy(): Promise<void> {
    let caller: Caller | undefined;
    for (let turn = 0; this.#running; turn += 1) {
      if (turn % SESSION_CALLS === 0) {
        await caller?.agent.close().catch(() => undefined);
        caller = undefined;
      }
      caller ??= await this.#open();
      const current = caller;
      if (current !== undefined) caller = await this.#paced(() => this.#callInSession(current));
    }
    await caller?.agent.close().catch(() => undefined);
  }

  /**
   * MCP 2025-11-25, transports, "Session Management": a client that is told 404 must start a new session. Its call is made
   * once more there, and counts however that ends.
   */
  async #callInSession(caller: Caller): Promise<Caller | undefined> {
    const { setAside } = await this.#call(caller, '2025', this.#id(), hasEnded);
    if (setAside === undefined) return caller;
    this.reopened.push(setAside);
    const next = await this.#open();
    if (next !== undefined) await this.#call(next, '2025', setAside);
    return next;
  }

  async #open(name = `session ${this.#id()}`): Promise<Caller | undefined> {
    try {
      return { agent: await connectWithApiKey({ url: this.shop.serverUrl, apiKey: this.shop.key }), name };
    } catch (error) {
      // A session can end while it is being opened: Redis, which knew of it, is gone.
      const ended = hasEnded(error) && !name.endsWith(AGAIN);
      if (ended) this.reopened.push(name);
      if (ended || this.#isRepaired(name, error)) return this.#open(`${name}${AGAIN}`);
      const failure = `not opened: ${String(error)}`;
      this.calls.push({ id: name, era: '2025', caller: name, release: undefined, failure, sentMs: Date.now() });
      return undefined;
    }
  }

  /**
   * Every call's result is kept, but for errors that are set aside because the call is made again. Returns the id of what
   * was set aside: not the one it was given where that had reached the upstream before its connection was reset.
   */
  async #call(
    { agent, name: caller }: Caller,
    era: SeenCall['era'],
    id: string,
    isSetAside: (error: unknown) => boolean = () => false,
  ): Promise<{ readonly setAside?: string }> {
    const sentMs = Date.now();
    try {
      const result = await agent.client.callTool({ name: 'echo', arguments: { id } });
      const text = JSON.stringify(result);
      const release = releaseIn(result);
      const failed = 'isError' in result && result.isError === true;
      this.calls.push({ id, era, caller, release, failure: failed ? text : undefined, sentMs });
    } catch (error) {
      if (isSetAside(error)) return { setAside: id };
      if (this.#isRepaired(id, error)) return this.#call({ agent, name: caller }, era, `${id}${AGAIN}`, isSetAside);
      this.calls.push({ id, era, caller, release: undefined, failure: String(error), sentMs });
    }
    return {};
  }

  /** Whether what failed is made once more: by a client that does so, after its connection was reset, once. */
  #isRepaired(id: string, error: unknown): boolean {
    if (this.afterReset === 'fail' || id.endsWith(AGAIN) || !wasReset(error)) return false;
    this.resent.push(id);
    return true;
  }

  /** Does it, and waits until the pace allows the next. */
  async #paced<Result>(act: () => Promise<Result>): Promise<Result> {
    const next = performance.now() + this.everyMs;
    const result = await act();
    const waitMs = next - performance.now();
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
    return result;
  }

  #id(): string {
    this.#next += 1;
    return `${this.name}-${this.#next}`;
  }
}

/** The release that an answer of the upstream names. */
export function releaseIn(answer: unknown): string | undefined {
  return /release\\*":\\*"(\w+)/.exec(JSON.stringify(answer) ?? '')?.[1];
}

/** The one answer that tells a client of the 2025 era that its session has ended. */
function hasEnded(error: unknown): boolean {
  return (
    error instanceof SdkHttpError &&
    error.status === 404 &&
    error.message.includes('This session does not exist or has ended.')
  );
}

const errorShape = z.object({ code: z.unknown().optional(), cause: z.unknown().optional() });

/** Whether no answer came because the connection was reset, as `fetch` tells of it. */
function wasReset(error: unknown): boolean {
  const { success, data } = errorShape.safeParse(error);
  if (!success) return false;
  return data.code === 'ECONNRESET' || data.code === 'UND_ERR_SOCKET' || wasReset(data.cause);
}
