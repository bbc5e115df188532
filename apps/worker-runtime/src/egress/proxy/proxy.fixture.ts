import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { startUpstream, type Upstream } from '../../upstream.fixture.js';
import { manifestOf } from '../../worker-runtime.fixture.js';
import { selfSigned } from '#libs/testing';
import { EgressPolicy } from '../egress-policy.js';
import { Egress } from '../egress.js';
import type { ProxyLimits, WorkerProxy } from './worker-proxy.js';

/** An answer of the proxy or of what stands behind it. */
export interface ProxyAnswer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** What a proxy stands between. */
interface Surroundings {
  readonly upstream: Upstream;
  readonly unnamed: Upstream;
  readonly secure: Secure;
  readonly egress: Egress;
  readonly proxy: WorkerProxy;
  /** Hands the connections of programs to the proxy. */
  readonly door: Server;
  /** Which rules of ours stopped something, in their order. */
  readonly rules: readonly string[];
  readonly moved: readonly number[];
}

/** A worker's proxy with an upstream that its release names, one that it does not, and one that speaks TLS. */
export class ProxyUnderTest {
  readonly #around: Surroundings;
  readonly #children: ChildProcess[] = [];

  private constructor(around: Surroundings) {
    this.#around = around;
  }

  static async start(limits: Partial<ProxyLimits> = {}): Promise<ProxyUnderTest> {
    const [upstream, unnamed, secure] = await Promise.all([
      startUpstream(answer),
      startUpstream(answer),
      startSecure(),
    ]);
    const egress = new Egress({ resolve: async () => [] });
    const manifest = manifestOf({
      own: `${upstream.origin}/x`,
      secure: `https://localhost:${secure.port}/x`,
      metadata: 'http://169.254.169.254/x',
    });
    const allowances = [
      { host: '127.0.0.1', port: upstream.port },
      { host: '127.0.0.1', port: unnamed.port },
      { host: 'localhost', port: secure.port },
    ];
    const policy = EgressPolicy.read(Buffer.from(JSON.stringify(manifest)));
    const rules: string[] = [];
    const moved: number[] = [];
    const proxy = egress.openProxy({
      tenantId: 'tenant',
      context: () => ({ version: '1', secrets: {}, allowances }),
      limits,
      onStopped: (rule) => rules.push(rule),
      onMoved: (bytes) => moved.push(bytes),
    });
    const door = createServer({ allowHalfOpen: true }, (socket) =>
      proxy.accept(socket, { digest: 'sha256:release', servers: ['shop'], policy }),
    );
    await new Promise<void>((resolve) => door.listen(0, '127.0.0.1', resolve));
    return new ProxyUnderTest({ upstream, unnamed, secure, egress, proxy, door, rules, moved });
  }

  get rules(): readonly string[] {
    return this.#around.rules;
  }

  /** What onMoved was told. */
  get moved(): readonly number[] {
    return this.#around.moved;
  }

  get upstream(): Upstream {
    return this.#around.upstream;
  }

  get unnamed(): Upstream {
    return this.#around.unnamed;
  }

  get secure(): Secure {
    return this.#around.secure;
  }

  get egress(): Egress {
    return this.#around.egress;
  }

  get proxy(): WorkerProxy {
    return this.#around.proxy;
  }

  get port(): number {
    return (this.#around.door.address() as AddressInfo).port; // a TCP server's address
  }

  /** Asks the proxy for a URL in absolute form. */
  ask(url: string, method = 'GET', headers: Record<string, string> = {}, body?: string): Promise<ProxyAnswer> {
    return new Promise((resolve, reject) => {
      const request = httpRequest(
        { host: '127.0.0.1', port: this.port, path: url, method, headers, agent: false },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.once('error', reject);
          response.once('end', () =>
            resolve({
              status: response.statusCode ?? 0,
              headers: response.headers,
              body: Buffer.concat(chunks).toString(),
            }),
          );
        },
      );
      request.once('error', reject);
      request.end(body);
    });
  }

  /** Asks the proxy for a tunnel; the socket is there when it stands. */
  connect(authority: string): Promise<{ status: number; body: string; socket: Socket }> {
    return new Promise((resolve, reject) => {
      const request = httpRequest({
        host: '127.0.0.1',
        port: this.port,
        method: 'CONNECT',
        path: authority,
        agent: false,
      });
      request.once('connect', (response, socket: Socket, head: Buffer) => {
        if (response.statusCode === 200) return resolve({ status: 200, body: '', socket });
        const chunks = [head];
        socket.on('data', (chunk: Buffer) => chunks.push(chunk));
        socket.once('close', () =>
          resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString(), socket }),
        );
      });
      request.once('error', reject);
      request.end();
    });
  }

  /** The proxy as programs know it. */
  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Runs a program whose requests go through a proxy, as the environment tells ordinary packages; gives its output. */
  async run(program: string, proxyUrl: string, environment: Record<string, string> = {}): Promise<string> {
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      env: { NODE_USE_ENV_PROXY: '1', HTTP_PROXY: proxyUrl, HTTPS_PROXY: proxyUrl, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#children.push(child);
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        output += chunk.toString();
      });
    await once(child, 'close');
    return output;
  }

  async close(): Promise<void> {
    const { upstream, unnamed, secure, egress, proxy, door } = this.#around;
    for (const child of this.#children) child.kill('SIGKILL');
    proxy.close();
    door.close();
    await Promise.all([egress.close(), upstream.close(), unnamed.close(), secure.close()]);
  }
}

/** An upstream that speaks TLS for `localhost`. */
export interface Secure {
  readonly port: number;
  /** Its certificate, for whoever is to trust it. */
  readonly cert: string;
  readonly seen: string[];
  close(): Promise<void>;
}

/** Starts one on the loopback, under the name `localhost`. */
export async function startSecure(): Promise<Secure> {
  const certificate = selfSigned('localhost');
  const seen: string[] = [];
  const server = createTlsServer({ ...certificate }, (request, response) => {
    seen.push(request.url ?? '');
    response.end(`secure ${request.url}`);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port, // a TCP server's address
    cert: certificate.cert,
    seen,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function answer(request: IncomingMessage, response: ServerResponse): void {
  switch (request.url) {
    case '/large':
      return void response.end(Buffer.alloc(1024 * 1024));
    case '/hang':
      return;
    case '/500':
      return void response.writeHead(500).end('broken');
    default:
      response
        .writeHead(200, { 'set-cookie': ['a=b', 'c=d'], 'x-seen': JSON.stringify(request.headers) })
        .end(`${request.method} ${request.url}`);
  }
}
