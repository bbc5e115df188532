import { connectWithApiKey, signUp, WharfApi } from '#libs/journey';
import type { Wharf } from '#libs/testing';
import type { TestShop } from '../journeys/shop.js';

/** What was answered as done: none of it may be missing afterwards, or it is what was lost. */
export interface Acknowledged {
  readonly writes: string[];
  calls: number;
  /** Refused or unanswered meanwhile. */
  failed: number;
  /** What the last of those said. */
  lastFailure: string;
}

/** Changes of one tenant and agents' calls to another, one after the other each, until it is told to stop. */
export class Traffic {
  readonly done: Acknowledged = { writes: [], calls: 0, failed: 0, lastFailure: '' };
  #on = true;
  readonly #ended: Promise<unknown>;

  private constructor(agent: Agent, changing: WharfApi) {
    const go = async (work: () => Promise<void>): Promise<void> => {
      while (this.#on)
        await work().catch(async (error: unknown) => {
          this.done.failed += 1;
          this.done.lastFailure = String(error);
          // Who is refused waits a little before the next try.
          await new Promise((resolve) => setTimeout(resolve, 50));
        });
    };
    let asked = 0;
    const write = async (): Promise<void> => {
      const name = `kept_${(asked += 1)}`;
      await changing.putSecret(name, 'x');
      this.done.writes.push(name);
    };
    const call = async (): Promise<void> => {
      if (!(await agent.call())) throw new Error('The call was answered with an error.');
      this.done.calls += 1;
    };
    this.#ended = Promise.all([go(write), go(call)]);
  }

  static async start(wharf: Wharf, shop: TestShop): Promise<Traffic> {
    // A tenant of its own: what a change makes a gateway forget of a tenant, it cannot serve while there is no database.
    const person = { tenantName: 'Changing', slug: 'changing', email: 'owner@changing.example' };
    const { api_key: key } = await signUp(wharf.url, { ...person, password: 'correct horse battery' });
    const changing = new WharfApi({ publicUrl: wharf.url, apiKey: key.text });
    return new Traffic(await Agent.connect(wharf, shop), changing);
  }

  async stop(): Promise<Acknowledged> {
    this.#on = false;
    await this.#ended;
    return this.done;
  }
}

/** An agent of the 2026 era that calls one tool of the shop. */
export class Agent {
  private constructor(
    private readonly agent: Awaited<ReturnType<typeof connectWithApiKey>>,
    private readonly tool: string,
  ) {}

  static async connect(wharf: Wharf, shop: TestShop): Promise<Agent> {
    const url = `${wharf.url}/t/${shop.slug}/books/mcp`;
    const agent = await connectWithApiKey({ url, apiKey: shop.apiKey.text, protocol: '2026-07-28' });
    const { tools } = await agent.client.listTools();
    return new Agent(agent, tools.find(({ name }) => name.startsWith('list'))?.name ?? '');
  }

  /** Whether the call was answered with a result. */
  async call(): Promise<boolean> {
    const { isError = false } = await this.agent.client.callTool({ name: this.tool, arguments: {} });
    return !isError;
  }
}
