import { connectWithApiKey, type Agent } from '#libs/journey';
import type { RolloutShop } from './shop.fixture.js';

/** How a call ended, and which release said so. */
export interface SeenCall {
  readonly id: string;
  readonly era: '2025' | '2026';
  readonly release: string | undefined;
  readonly failure: string | undefined;
  /** When it was sent, as `Date.now()` has it. */
  readonly sentMs: number;
}

const KEYS = 16;
const SESSION_CALLS = 12;

/**
 * Calls a shop's tool from real MCP clients until it is told to stop: agents of the 2026 era with a key each, and agents
 * of the 2025 era, which open a session anew after some calls, and when they are told that theirs has ended.
 */
export class Traffic {
  readonly calls: SeenCall[] = [];
  #running = true;
  #next = 0;
  #loops: Promise<void>[] = [];

  private constructor(
    private readonly shop: RolloutShop,
    private readonly name: string,
  ) {}

  static async start(shop: RolloutShop, name: string, agents = 6): Promise<Traffic> {
    const traffic = new Traffic(shop, name);
    const keys = await Promise.all(
      Array.from({ length: KEYS }, (_, index) => shop.api.createApiKey(`${name} ${index}`, ['mcp'])),
    );
    const modern = await Promise.all(
      keys.map(({ text }) => connectWithApiKey({ url: shop.serverUrl, apiKey: text, protocol: '2026-07-28' })),
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
  async #loopModern(agents: readonly Agent[]): Promise<void> {
    for (let turn = 0; this.#running; turn += 1) {
      const agent = agents[turn % agents.length];
      if (agent !== undefined) await this.#call(agent, '2026', this.#id());
    }
    await Promise.all(agents.map((agent) => agent.close().catch(() => undefined)));
  }

  async #loopLegacy(): Promise<void> {
    let agent: Agent | undefined;
    for (let turn = 0; this.#running; turn += 1) {
      if (turn % SESSION_CALLS === 0) {
        await agent?.close().catch(() => undefined);
        agent = undefined;
      }
      agent ??= await this.#open();
      if (agent === undefined) continue;
      const id = this.#id();
      if ((await this.#call(agent, '2025', id)) !== 'session ended') continue;
      // MCP 2025-11-25, transports, "Session Management": a client that is told 404 must start a new session.
      agent = await this.#open();
      if (agent !== undefined) await this.#call(agent, '2025', id);
    }
    await agent?.close().catch(() => undefined);
  }

  async #open(): Promise<Agent | undefined> {
    return connectWithApiKey({ url: this.shop.serverUrl, apiKey: this.shop.key }).catch((error: unknown) => {
      const failure = `not opened: ${String(error)}`;
      this.calls.push({ id: this.#id(), era: '2025', release: undefined, failure, sentMs: Date.now() });
      return undefined;
    });
  }

  async #call(agent: Agent, era: SeenCall['era'], id: string): Promise<'done' | 'session ended'> {
    const sentMs = Date.now();
    try {
      const result = await agent.client.callTool({ name: 'echo', arguments: { id } });
      const text = JSON.stringify(result);
      const release = /release\\*":\\*"(\w+)/.exec(text)?.[1];
      const failed = 'isError' in result && result.isError === true;
      this.calls.push({ id, era, release, failure: failed ? text : undefined, sentMs });
    } catch (error) {
      const text = String(error);
      if (era === '2025' && /404|session/i.test(text)) return 'session ended';
      this.calls.push({ id, era, release: undefined, failure: text, sentMs });
    }
    return 'done';
  }

  #id(): string {
    this.#next += 1;
    return `${this.name}-${this.#next}`;
  }
}
