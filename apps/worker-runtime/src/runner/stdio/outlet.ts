import { connect as connectHttp2, constants, type ClientHttp2Session } from 'node:http2';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { findWayOut } from './way-out.js';

const CONNECTIONS_MAX = 128;
const LOOPBACK = ['localhost', '127.0.0.1', '[::1]'];
const WINDOW_BYTES = 256 * 1024;

/**
 * The way out for third-party code, which knows proxies by URL only: ports on the loopback of the worker's own network,
 * one for each release, whose connections become streams over the one connection that leads out of the worker.
 */
export class Outlet {
  readonly #onLost: () => void;
  #closed = false;
  #session: ClientHttp2Session | undefined;
  readonly #ports = new Map<string, Promise<number>>();
  readonly #servers: Server[] = [];

  /**
   * The variables by which packages find the proxy of a release. What they do on the worker's own loopback stays there,
   * but for a release that names such an origin, which an operator may have opened outside.
   */
  async environmentFor(digest: string, origins: readonly string[]): Promise<Record<string, string>> {
    const port = this.#ports.get(digest) ?? this.#listen(digest);
    this.#ports.set(digest, port);
    const url = `http://127.0.0.1:${await port}`;
    const named = new Set(origins.map((origin) => new URL(origin).hostname));
    const none = LOOPBACK.filter((host) => !named.has(host)).join(',');
    return {
      NODE_USE_ENV_PROXY: '1',
      HTTP_PROXY: url,
      HTTPS_PROXY: url,
      NO_PROXY: none,
      http_proxy: url,
      https_proxy: url,
      no_proxy: none,
    };
  }

  /** `onLost` is told when the way out has ended although nobody closed it: there will be no other. */
  constructor(onLost: () => void) {
    this.#onLost = onLost;
  }

  /** Ends the way out for good. */
  close(): void {
    this.#closed = true;
    for (const server of this.#servers) server.close();
    this.#session?.destroy();
  }

  #listen(digest: string): Promise<number> {
    const server = createServer({ allowHalfOpen: true }, (client) => this.#connect(client, digest));
    server.maxConnections = CONNECTIONS_MAX;
    this.#servers.push(server);
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)); // a TCP server's address
    });
  }

  #connect(client: Socket, digest: string): void {
    const session = this.#getSession();
    if (session === undefined || session.closed || session.destroyed) {
      client.destroy(); // there is no way out, or the runtime has ended it, and ends this worker
      return;
    }
    const stream = session.request({ ':method': 'POST', ':path': `/${digest}` }, { endStream: false });
    client.on('error', () => stream.close(constants.NGHTTP2_CANCEL));
    stream.on('error', () => client.destroy());
    client.once('close', () => stream.close(constants.NGHTTP2_CANCEL));
    stream.once('close', () => client.end(() => client.destroy()));
    client.pipe(stream).pipe(client);
  }

  #getSession(): ClientHttp2Session | undefined {
    if (this.#session !== undefined) return this.#session;
    const socket = findWayOut();
    if (socket === undefined) return undefined;
    if (socket.destroyed) {
      this.#onLost();
      return undefined;
    }
    const session = connectHttp2('http://outlet', {
      createConnection: () => socket,
      settings: { enablePush: false, initialWindowSize: WINDOW_BYTES },
    });
    session.on('error', () => undefined); // its streams end, and with them the connections
    session.once('close', () => {
      if (!this.#closed) this.#onLost();
    });
    this.#session = session;
    return session;
  }
}
