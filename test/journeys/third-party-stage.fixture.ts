import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connectWithApiKey, OperatorApi, signUp, WharfApi, type Agent } from '#libs/journey';
import { packBundle, startWharf, type Wharf, type WharfOptions } from '#libs/testing';
import { MANIFEST, SERVER } from './third-party.fixture.js';

/** Values that must never be seen anywhere. */
export const TOKEN = 'SECRET-token-"quoted"-4711';
const PIN = 'SECRET-pin-0815';

/** A tenant that publishes a third-party server as `all`, an upstream that its release names, and one that it does not. */
export class ThirdPartyStage {
  private constructor(
    readonly wharf: Wharf,
    readonly api: WharfApi,
    readonly apiKey: string,
    private readonly artefact: string,
    private readonly servers: { readonly upstream: Server; readonly unnamed: Server; readonly reached: string[] },
  ) {}

  /** Which of the upstreams were reached. */
  get reached(): readonly string[] {
    return this.servers.reached;
  }

  static async open(options: WharfOptions = {}): Promise<ThirdPartyStage> {
    const reached: string[] = [];
    const [upstream, unnamed] = [await listening('upstream', reached), await listening('unnamed', reached)];
    const wharf = await startWharf(options);
    const owner = { email: 'owner@third.example', password: 'third correct horse battery' };
    const apiKey = (await signUp(wharf.url, { tenantName: 'Third', slug: 'third', ...owner })).api_key.text;
    const api = new WharfApi({ publicUrl: wharf.url, apiKey });
    const operator = new OperatorApi({ publicUrl: wharf.url, operatorKey: wharf.operatorKey });
    for (const server of [upstream, unnamed])
      await operator.allowEgress('third', '127.0.0.1', portOf(server), 'the test’s own');
    await api.putSecret('token', TOKEN);
    await api.putSecret('pin', PIN);
    const archive = packBundle(SERVER, MANIFEST, ['undici']);
    const artefact = await api.uploadArtefact('application/zip', new Uint8Array(archive));
    const stage = new ThirdPartyStage(wharf, api, apiKey, artefact, { upstream, unnamed, reached });
    await api.createServer('all', 'All');
    await api.allowWrites('all');
    const { release } = await api.createRelease('all', stage.source());
    await api.publish('all', release.id);
    return stage;
  }

  get url(): string {
    return `${this.wharf.url}/t/third/all/mcp`;
  }

  /** The origin that the release names. */
  get named(): string {
    return `http://127.0.0.1:${portOf(this.servers.upstream)}`;
  }

  /** Port of the server that it does not name. */
  get unnamedPort(): number {
    return portOf(this.servers.unnamed);
  }

  source(config: object = {}): object {
    const given = { token: { secret: 'token' }, pin: { secret: 'pin' }, retries: 3, folders: ['x', 'y'], ...config };
    return { kind: 'bundle', artefact: this.artefact, origins: [this.named], config: given };
  }

  /** What the management API answers. */
  async get(path: string): Promise<unknown> {
    return (await this.#manage('GET', path)).json();
  }

  async remove(path: string): Promise<void> {
    await this.#manage('DELETE', path);
  }

  connect(protocol: 'default' | 'auto'): Promise<Agent> {
    return connectWithApiKey({ url: this.url, apiKey: this.apiKey, protocol });
  }

  /** Uses an agent in a session, or (mode `auto`) without one. */
  async withAgent<Found>(protocol: 'default' | 'auto', use: (agent: Agent) => Promise<Found>): Promise<Found> {
    const agent = await this.connect(protocol);
    try {
      return await use(agent);
    } finally {
      await agent.close();
    }
  }

  /** What a tool said, called in a session of its own. */
  call(name: string, given: Record<string, unknown> = {}): Promise<unknown> {
    return this.withAgent('default', async ({ client }) =>
      JSON.parse(textOf(await client.callTool({ name, arguments: given }))),
    );
  }

  #manage(method: string, path: string): Promise<Response> {
    return fetch(`${this.wharf.url}${path}`, { method, headers: { authorization: `Bearer ${this.apiKey}` } });
  }

  async close(): Promise<void> {
    await this.wharf.stop();
    for (const server of [this.servers.upstream, this.servers.unnamed]) server.close();
  }
}

/** The text of a tool's result. */
export function textOf(result: { content?: unknown }): string {
  return (result.content as Array<{ text: string }>)[0]?.text ?? ''; // what the fixture's tools answer
}

async function listening(name: string, reached: string[]): Promise<Server> {
  const server = createServer((request, response) => {
    reached.push(name);
    response.writeHead(request.url === '/500' ? 500 : 200).end(`${name} ${request.url}`);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port; // listening on TCP
}
