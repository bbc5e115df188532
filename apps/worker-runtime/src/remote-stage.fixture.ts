import {
  RuntimeClient,
  routeKey,
  sha256Digest,
  type BuiltRelease,
  type EgressContext,
  type Envelope,
  type PersonTokens,
  type Supplier,
} from '#libs/protocol';
import { randomBytes, randomUUID } from 'node:crypto';
import { callOf, INTAKE_KEY, startRuntime, type Ended, type RuntimeUnderTest } from './worker-runtime.fixture.js';
import { readAnswer, type RemoteAnswer } from './remote-answer.fixture.js';

interface Tenant {
  readonly manifests: Map<string, Buffer>;
  readonly context: EgressContext;
}

const MODERN_META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': {},
};

/** What a client hears on a stream. */
export interface Notice {
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
}

function modernMessage(method: string, params: object, capabilities: object = {}, meta: object = {}): object {
  const _meta = { ...meta, ...MODERN_META, 'io.modelcontextprotocol/clientCapabilities': capabilities };
  return { jsonrpc: '2.0', id: 1, method, params: { ...params, _meta } };
}

/** A worker-runtime of its own, and tenants who publish upstream servers in it. */
export class RemoteStage {
  private constructor(
    readonly runtime: RuntimeUnderTest,
    private readonly tenants: Map<string, Tenant>,
    readonly client: RuntimeClient,
    /** Whose lists were said to have changed: tenant and servers. */
    readonly changed: readonly string[],
  ) {}

  static async open(): Promise<RemoteStage> {
    const runtime = await startRuntime();
    const tenants = new Map<string, Tenant>();
    const supplier: Supplier = {
      supply: async (tenantId, digests, context) => {
        const tenant = tenants.get(tenantId);
        if (tenant === undefined) throw new Error('no such tenant');
        const manifests = new Map(digests.map((digest) => [digest, tenant.manifests.get(digest) ?? Buffer.alloc(0)]));
        return context ? { manifests, context: tenant.context } : { manifests };
      },
    };
    const changed: string[] = [];
    const onListsChanged = (tenantId: string, servers: readonly string[]): void =>
      void changed.push(`${tenantId} ${servers.join()}`);
    const ways = { sockets: [runtime.socket], intakeKey: INTAKE_KEY };
    const client = await RuntimeClient.connect({ ...ways, supplier, onListsChanged });
    return new RemoteStage(runtime, tenants, client, changed);
  }

  async close(): Promise<void> {
    await this.client.close();
    await this.runtime.stop();
  }

  /** A new tenant that may reach these ports of loopback. */
  tenant(ports: readonly number[], secrets: Readonly<Record<string, string>> = {}): string {
    const tenantId = randomUUID();
    const allowances = ports.map((port) => ({ host: '127.0.0.1', port }));
    const tokenKey = randomBytes(32).toString('base64');
    this.tenants.set(tenantId, { manifests: new Map(), context: { version: 'v1', secrets, allowances, tokenKey } });
    return tenantId;
  }

  /** Builds a release of upstreams. @throws AppError */
  async build(tenantId: string, upstreams: readonly object[], tokens?: PersonTokens): Promise<BuiltRelease> {
    const built = await this.client.build({
      tenantId,
      serverSlug: 'far',
      source: Buffer.from(JSON.stringify({ kind: 'remote', upstreams })),
      deadlineMs: Date.now() + 30_000,
      upstreams: true,
      tokens,
    });
    this.tenants.get(tenantId)?.manifests.set(built.digest, built.manifest);
    return built;
  }

  /** A release of upstreams, ready to be called. */
  async publish(tenantId: string, upstreams: readonly object[], tokens?: PersonTokens): Promise<RemoteRoute> {
    const { manifest } = await this.build(tenantId, upstreams, tokens);
    return new RemoteRoute(this.client, tenantId, sha256Digest(manifest), tokens);
  }
}

/** A tenant's URL with a release of upstreams behind it. */
export class RemoteRoute {
  constructor(
    private readonly client: RuntimeClient,
    readonly tenantId: string,
    readonly digest: string,
    /** Whose calls these are at upstreams. */
    private readonly tokens?: PersonTokens,
  ) {}

  /** One request of the 2026 era. */
  modern(
    method: string,
    params: object = {},
    {
      capabilities = {},
      meta = {},
      ...extra
    }: Partial<Envelope> & { readonly capabilities?: object; readonly meta?: object } = {},
  ): Promise<RemoteAnswer> {
    return this.#call({ ...this.#envelope('modern'), ...extra }, modernMessage(method, params, capabilities, meta));
  }

  /** A request of the 2026 era that goes on until its client leaves; what it hears comes into `heard`. */
  begin(
    method: string,
    params: object,
    capabilities: object = {},
  ): { readonly heard: Notice[]; readonly leave: () => void } {
    const heard: Notice[] = [];
    const envelope = { ...this.#envelope('modern'), deadlineMs: Date.now() + 60_000 };
    const payload = Buffer.from(JSON.stringify(modernMessage(method, params, capabilities)));
    const leave = this.client.call(envelope, payload, {
      tokens: this.tokens,
      onPart: (part) => heard.push(JSON.parse(part.toString())),
      onDone: () => undefined,
      onFail: () => undefined,
    });
    return { heard, leave };
  }

  /** Opens a session of the 2025 era. */
  async session(capabilities: object = {}, principal = 'person'): Promise<RemoteSession> {
    const sessionId = randomUUID();
    const session = new RemoteSession(this.client, { ...this.#envelope('legacy'), sessionId, principal }, this.tokens);
    const clientInfo = { name: 'test', version: '1' };
    await session.ask('initialize', { protocolVersion: '2025-11-25', capabilities, clientInfo });
    await session.post({ jsonrpc: '2.0', method: 'notifications/initialized' });
    return session;
  }

  async #call(envelope: Envelope, message: object): Promise<RemoteAnswer> {
    return readAnswer(await callOf(this.client, envelope, message, undefined, this.tokens));
  }

  #envelope(era: Envelope['era']): Envelope {
    const mounts = [{ serverSlug: 'far', releaseId: 'release', digest: this.digest, prefix: '' }];
    return {
      route: { tenantId: this.tenantId, mounts, key: routeKey(this.tenantId, mounts) },
      era,
      operation: 'message',
      principal: 'person',
      deadlineMs: Date.now() + 20_000,
      contextVersion: 'v1',
    };
  }
}

/** A session of the 2025 era, message by message. */
export class RemoteSession {
  /** What came on its own stream. */
  readonly heard: string[] = [];
  #last = 0;

  /** The id of its last request. */
  get lastId(): number {
    return this.#last;
  }

  constructor(
    private readonly client: RuntimeClient,
    private readonly envelope: Envelope,
    private readonly tokens?: PersonTokens,
  ) {}

  /** Makes a request; `onPart` sees each message before the answer. */
  async ask(
    method: string,
    params: object = {},
    { onPart, ...extra }: Partial<Envelope> & { readonly onPart?: (part: string) => void } = {},
  ): Promise<RemoteAnswer> {
    const message = { jsonrpc: '2.0', id: ++this.#last, method, params };
    return readAnswer(await this.#exchange({ ...this.envelope, ...extra }, message, onPart));
  }

  /** Calls a tool. */
  call(name: string, given: object = {}, extra: Parameters<RemoteSession['ask']>[2] = {}): Promise<RemoteAnswer> {
    return this.ask('tools/call', { name, arguments: given }, extra);
  }

  /** Sends what is not answered. */
  async post(message: object): Promise<void> {
    await this.#exchange(this.envelope, message);
  }

  /** Opens its own stream; returns how to leave it. */
  listen(): () => void {
    const envelope: Envelope = { ...this.envelope, operation: 'listen', deadlineMs: Date.now() + 60_000 };
    return this.client.call(envelope, Buffer.alloc(0), {
      tokens: this.tokens,
      onPart: (part) => this.heard.push(part.toString()),
      onDone: () => undefined,
      onFail: () => undefined,
    });
  }

  async close(): Promise<void> {
    await this.#exchange({ ...this.envelope, operation: 'close' }, undefined);
  }

  #exchange(envelope: Envelope, message: object | undefined, onPart?: (part: string) => void): Promise<Ended> {
    const parts: string[] = [];
    const payload = message === undefined ? Buffer.alloc(0) : Buffer.from(JSON.stringify(message));
    return new Promise((resolve) => {
      this.client.call({ ...envelope, deadlineMs: Math.max(envelope.deadlineMs, 0) }, payload, {
        tokens: this.tokens,
        onPart: (part) => {
          parts.push(part.toString());
          onPart?.(part.toString());
        },
        onDone: (done, outcome, upstreamMs) => resolve({ parts, message: done.toString(), outcome, upstreamMs }),
        onFail: (failure, outcome, started) => resolve({ parts, message: '', outcome, failure, started }),
      });
    });
  }
}
