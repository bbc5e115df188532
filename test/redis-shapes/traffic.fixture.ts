import { callRaw, connectWithApiKey, type Agent } from '#libs/journey';
import type { TestShop } from '../journeys/shop.js';

/** Calls of both eras, each told by how it ended; a session's calls go on with the one that was open before. */
export class Traffic {
  readonly ended = new Map<string, number>();
  readonly #over = new AbortController();
  readonly #running: Array<Promise<void>>;

  constructor(shop: TestShop, session: Agent) {
    const modern = async (): Promise<string> => {
      const params = { name: 'getBook', arguments: { isbn: '9780262046305' } };
      const call = { url: shop.serverUrl, bearer: shop.apiKey.text, method: 'tools/call', params };
      return String((await callRaw(call)).status);
    };
    const legacy = () => session.client.listTools().then(() => '200');
    const initialize = async (): Promise<string> => {
      const agent = await connectWithApiKey({ url: shop.serverUrl, apiKey: shop.apiKey.text });
      await agent.close();
      return '200';
    };
    this.#running = Object.entries({ modern, legacy, initialize }).map(([name, call]) => this.#run(name, call));
  }

  async #run(name: string, call: () => Promise<string>): Promise<void> {
    while (!this.#over.signal.aborted) {
      const how = `${name} ${await call().catch((error: unknown) => `failed: ${String(error).slice(0, 100)}`)}`;
      this.ended.set(how, (this.ended.get(how) ?? 0) + 1);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async end(): Promise<void> {
    this.#over.abort();
    await Promise.all(this.#running);
  }

  /** How often each kind of call ended how. */
  get counts(): string {
    return [...this.ended].map(([how, times]) => `${how}: ${times}`).join('\n  ');
  }

  /** How calls ended that did not succeed. */
  get failed(): string[] {
    return [...this.ended.keys()].filter((how) => !how.endsWith(' 200'));
  }
}
