import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import type { EgressContext, Manifest } from '#libs/protocol';
import { startUpstream, type Upstream } from '../upstream.fixture.js';
import { manifestOf } from '../worker-runtime.fixture.js';
import { EgressPolicy } from './egress-policy.js';
import type { EgressAnswer, EgressRequest } from './egress-request.js';
import { Egress, type EgressOptions } from './egress.js';

/** The value of the tenant's secret; nothing but the right upstream may see it. */
export const SECRET = 'canary-secret-0123456789';
/** An origin with a public name; what it resolves to is each test's to say. */
export const PUBLIC = 'https://public.example';

/** What a tool says of itself. */
interface ToolTraits {
  readonly annotations?: { readonly readOnlyHint?: boolean; readonly idempotentHint?: boolean };
  readonly timeoutMs?: number;
}

const BOMB = gzipSync(Buffer.alloc(100 * 1024 * 1024));

/** Egress with two upstreams on loopback, both allowed to the tenant, one of them with a credential. */
export class EgressUnderTest {
  /** What names resolve to. */
  resolved: Record<string, readonly string[]> = {};
  egress = this.#open({});

  private constructor(
    readonly upstream: Upstream,
    readonly elsewhere: Upstream,
  ) {}

  static async start(): Promise<EgressUnderTest> {
    return new EgressUnderTest(
      await startUpstream(answer),
      await startUpstream((_request, response) => response.end('elsewhere')),
    );
  }

  /** Starts afresh: no breaker, no connection, nothing seen. */
  async reset(options: EgressOptions = {}): Promise<void> {
    await this.egress.close();
    this.resolved = {};
    this.upstream.seen.length = 0;
    this.elsewhere.seen.length = 0;
    this.egress = this.#open(options);
  }

  async close(): Promise<void> {
    await Promise.all([this.egress.close(), this.upstream.close(), this.elsewhere.close()]);
  }

  /** The tenant's egress context, with what differs. */
  context(extra: Partial<EgressContext> = {}): EgressContext {
    const allowances = [this.upstream, this.elsewhere].map(({ port }) => ({ host: '127.0.0.1', port }));
    return { version: 'v1', secrets: { 'api-key': SECRET }, allowances, ...extra };
  }

  /** The release's policy; with a URL, one whose release names that URL's origin too; with traits, other tools. */
  policy(url?: string, { annotations = {}, ...http }: ToolTraits = {}): EgressPolicy {
    const manifest = this.#manifest();
    const origins = url === undefined ? manifest.origins : [...manifest.origins, new URL(url).origin];
    const tools = manifest.tools.map((tool) => ({ ...tool, annotations, http: { ...tool.http, ...http } }));
    return EgressPolicy.read(Buffer.from(JSON.stringify({ ...manifest, origins, tools })));
  }

  /** A request of the tool that has the credential: a path of the upstream or a whole URL. */
  ask(url: string, extra: Partial<EgressRequest> = {}): Promise<EgressAnswer> {
    return this.egress.fetch({
      tenantId: 'tenant',
      release: { digest: 'sha256:release', servers: ['shop'] },
      policy: this.policy(),
      context: this.context(),
      tool: 'tool',
      method: 'GET',
      url: url.startsWith('/') ? `${this.upstream.origin}${url}` : url,
      headers: {},
      body: Buffer.alloc(0),
      timeoutMs: 10_000,
      signal: new AbortController().signal,
      ...extra,
    });
  }

  #open(options: EgressOptions): Egress {
    return new Egress({ resolve: async (hostname) => this.resolved[hostname] ?? [], ...options });
  }

  #manifest(): Manifest {
    const made = manifestOf({
      tool: `${this.upstream.origin}/x`,
      other: `${this.elsewhere.origin}/x`,
      public: `${PUBLIC}/x`,
    });
    const key = {
      id: 'key',
      secret: 'api-key',
      in: 'header' as const,
      name: 'Authorization',
      prefix: 'Bearer ',
      origins: [this.upstream.origin],
    };
    const tools = made.tools.map((tool) =>
      tool.name === 'tool' ? { ...tool, http: { ...tool.http, credentials: ['key'] } } : tool,
    );
    return { ...made, credentials: [key], tools };
  }
}

/** An upstream with every bad habit, chosen by path. */
function answer(request: IncomingMessage, response: ServerResponse): void {
  const { url = '', headers } = request;
  const target = new URLSearchParams(url.split('?')[1] ?? '').get('to') ?? '';
  switch (url.split('?')[0]) {
    case '/redirect':
      return void response.writeHead(302, { location: target }).end();
    case '/loop':
      return void response.writeHead(302, { location: '/loop' }).end();
    case '/large':
      return void sendLarge(response);
    case '/declared-large':
      return void response.writeHead(200, { 'content-length': 100 * 1024 * 1024 }).write('x');
    case '/bomb':
      return void response.writeHead(200, { 'content-encoding': 'gzip' }).end(BOMB);
    case '/brotli':
      return void response.writeHead(200, { 'content-encoding': 'br' }).end(brotliCompressSync('unpacked'));
    case '/bad-gzip':
      return void response.writeHead(200, { 'content-encoding': 'gzip' }).end('this is no gzip');
    case '/unknown-encoding':
      return void response.writeHead(200, { 'content-encoding': 'mystery' }).end('?');
    case '/headers':
      return void response.writeHead(200, { 'x-large': 'x'.repeat(100 * 1024) }).end();
    case '/garbage':
      return void response.socket?.end('this is not HTTP\r\n\r\n');
    case '/hang':
      return;
    case '/endless':
      return void sendEndless(response);
    case '/503':
      return void response.writeHead(503, target === '' ? {} : { 'retry-after': target }).end('busy');
    case '/half':
      return void response.writeHead(200, { 'content-length': 100 }).write('half');
    case '/reset':
      return void response.socket?.resetAndDestroy();
    case '/cut':
      return void response.writeHead(200, { 'content-length': 100 }).write('half', () => response.socket?.end());
    case '/cut-chunk':
      return void response.writeHead(200).write('half', () => response.socket?.end());
    case '/500':
      return void response.writeHead(500).end('broken');
    case '/404':
      return void response.writeHead(404).end('none');
    default:
      response
        .writeHead(200, { 'x-echo': JSON.stringify(headers), 'set-cookie': 'a=b' })
        .end(JSON.stringify({ url, headers }));
  }
}

/** Events without an end, a few bytes at a time. */
function sendEndless(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const timer = setInterval(() => response.write('data: more\n\n'), 10);
  response.once('close', () => clearInterval(timer));
}

function sendLarge(response: ServerResponse): void {
  const chunk = randomBytes(1024 * 1024);
  response.writeHead(200);
  let left = 100;
  const more = (): void => {
    while (left > 0 && !response.destroyed) {
      left -= 1;
      if (!response.write(chunk)) return void response.once('drain', more);
    }
    response.end();
  };
  more();
}
