import { WharfApi } from '#libs/journey';
import { packBundle } from '#libs/testing';
import { z } from 'zod';

const rolloutShape = z.object({
  rollout: z.object({
    id: z.string(),
    state: z.string(),
    step: z.number(),
    percent: z.number(),
    reason: z.string().nullable(),
    verdict: z.unknown(),
    verdicts: z.array(z.unknown()),
    ended_at: z.string().nullable(),
  }),
});

/** A rollout as the API shows it. */
export type SeenRollout = z.infer<typeof rolloutShape>['rollout'];

const CRASHING = `
import { Server } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
serveStdio(() => {
  const server = new Server({ name: 'crashing', version: '1' }, { capabilities: { tools: {} } });
  const inputSchema = { type: 'object', properties: { id: { type: 'string' } }, required: ['id'] };
  server.setRequestHandler('tools/list', () => ({ tools: [{ name: 'echo', description: 'Ends.', inputSchema, annotations: { readOnlyHint: true } }] }));
  server.setRequestHandler('tools/call', () => process.exit(3));
  return server;
});
`;

const LOOK_EVERY_MS = 100;
const WAIT_MS = 240_000;

/** A tenant with one server and its rollouts, through the management API. */
export class RolloutShop {
  private constructor(
    readonly api: WharfApi,
    readonly serverUrl: string,
    readonly key: string,
    private readonly url: string,
    private readonly upstream: string,
  ) {}

  static async open(options: { url: string; slug: string; key: string; upstream: string }): Promise<RolloutShop> {
    const { url, slug, key, upstream } = options;
    const api = new WharfApi({ publicUrl: url, apiKey: key });
    const shop = new RolloutShop(api, `${url}/t/${slug}/shop/mcp`, key, url, upstream);
    await api.createServer('shop', 'Shop');
    await api.publish('shop', await shop.newRelease('one'));
    return shop;
  }

  /** A release whose tool `echo` asks the upstream under this name, and requires these arguments of strings. */
  async newRelease(
    name: string,
    required: readonly string[] = ['id'],
    description = 'Says which release answered.',
  ): Promise<string> {
    const properties = Object.fromEntries(required.map((argument) => [argument, { type: 'string' }]));
    const { release } = await this.api.createRelease('shop', {
      kind: 'http',
      tools: [
        {
          name: 'echo',
          description,
          inputSchema: { type: 'object', properties, required },
          method: 'GET',
          url: `${this.upstream}/${name}/echo`,
          annotations: { readOnlyHint: true },
        },
      ],
    });
    return release.id;
  }

  /** A release that ends its own process at every call of its tool. */
  async newCrashingRelease(): Promise<string> {
    const artefact = await this.api.uploadArtefact('application/zip', new Uint8Array(packBundle(CRASHING)));
    const { release } = await this.api.createRelease('shop', { kind: 'bundle', artefact });
    return release.id;
  }

  /** Has every release asked for one call before it goes live. */
  async addProbe(id: string): Promise<void> {
    await this.#ask('POST', '/probes', { name: 'echo', tool: 'echo', arguments: { id } });
  }

  /** Begins a rollout. */
  async rollOut(body: Readonly<Record<string, unknown>>): Promise<SeenRollout> {
    return this.#send('POST', '', body);
  }

  async look(id: string): Promise<SeenRollout> {
    return this.#send('GET', `/${id}`);
  }

  async move(id: string, verb: 'pause' | 'resume' | 'promote' | 'abort'): Promise<SeenRollout> {
    return this.#send('POST', `/${id}/${verb}`);
  }

  /** The rollout as soon as it is as wanted. @throws Error where it is not within four minutes */
  async until(id: string, wanted: (rollout: SeenRollout) => boolean): Promise<SeenRollout> {
    const until = performance.now() + WAIT_MS;
    for (;;) {
      const rollout = await this.look(id).catch(() => undefined);
      if (rollout !== undefined && wanted(rollout)) return rollout;
      if (performance.now() > until) throw new Error(`The rollout did not get there: ${JSON.stringify(rollout)}`);
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  }

  async #send(method: string, path: string, body?: unknown): Promise<SeenRollout> {
    return rolloutShape.parse(JSON.parse(await this.#ask(method, `/rollouts${path}`, body))).rollout;
  }

  async #ask(method: string, path: string, body?: unknown): Promise<string> {
    const answer = await fetch(`${this.url}/v1/servers/shop${path}`, {
      method,
      headers: { authorization: `Bearer ${this.key}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${answer.status}: ${text}`);
    return text;
  }
}
