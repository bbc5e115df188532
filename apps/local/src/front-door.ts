import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { isIP } from 'node:net';
import { AppError, toAppError } from '#libs/errors';
import { answerOperational, errorDocs, requestIdOf, requireOneHost, sendProblem } from '#libs/http';
import { EmbeddedError } from '#libs/embedded';
import type { LocalConfig } from './config.js';
import { homePage } from './home-page.js';
import type { Services } from './services.js';

const GATEWAY = /^\/(?:t\/|\.well-known\/oauth-protected-resource(?:\/|$))/;
const AUTH =
  /^\/(?:auth(?:\/|$)|v1\/me\/grants(?:\/|$)|\.well-known\/(?:oauth-authorization-server|openid-configuration)(?:\/|$))/;
/** Where some clients look for the authorization server's endpoints, whatever its metadata says, on every host. */
const AUTH_AT_ROOT = /^\/(?:authorize|token|register)$/;

/** One HTTP origin for every service: the same paths that a balancer routes in production. */
export class FrontDoor {
  readonly #server: Server;
  #services: Services | undefined;
  /** The last `Host` that was found to be ours; most requests have the same. */
  #lastOwnHost: string | undefined;

  constructor(private readonly config: LocalConfig) {
    this.#server = createServer(
      { headersTimeout: 15_000, requestTimeout: 60_000, maxHeaderSize: 32 * 1024, keepAliveTimeout: 65_000 },
      (request, response) => {
        this.#answer(request, response).catch((thrown: unknown) => {
          const error = toAppError(thrown);
          const headers = { 'x-request-id': requestIdOf(request) };
          sendProblem(response, error, headers, errorDocs(config.publicUrl, error.code));
        });
      },
    );
  }

  /** Takes the port; requests are answered 503 until the services are open. @throws EmbeddedError when it is taken */
  async listen(): Promise<void> {
    const { WHARF_PORT: port, WHARF_LISTEN_HOST: host } = this.config;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (error: NodeJS.ErrnoException) => reject(portError(error, port)));
      this.#server.listen(port, host, resolve);
    });
  }

  open(services: Services): void {
    this.#services = services;
  }

  get server(): Server {
    return this.#server;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    requireOneHost(request);
    const services = this.#services;
    if (!this.#isOwnHost(request)) return refuseHost(services, request, response);
    if (services === undefined) throw new AppError('unavailable', { retryAfterSeconds: 1 });
    const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
    if (!this.#isTenantHost(request)) {
      if (path === '/' && request.method === 'GET') return homePage(response, this.config.publicUrl);
      if (await answerOperational(Object.values(services), request, response)) return;
    }
    this.#listenerOf(services, request, path)(request, response);
  }

  /**
   * Whether a `Host` is ours, and not another's: a page whose name was made to lead here (DNS rebinding) would otherwise read
   * and use everything that needs no credentials. Addresses and `localhost` cannot be made to.
   */
  #isOwnHost(request: IncomingMessage): boolean {
    const { host } = request.headers;
    if (host === undefined || host === this.#lastOwnHost || this.#isTenantHost(request)) return true;
    const name = URL.parse(`http://${host}`)?.hostname ?? '';
    const { publicUrl, WHARF_ISSUER: issuer = publicUrl } = this.config;
    const own = ['localhost', new URL(publicUrl).hostname, new URL(issuer).hostname];
    const isOwn = own.includes(name) || isIP(name.replace(/^\[(.*)\]$/, '$1')) !== 0;
    if (isOwn) this.#lastOwnHost = host;
    return isOwn;
  }

  #listenerOf(services: Services, request: IncomingMessage, path: string): RequestListener {
    if (AUTH_AT_ROOT.test(path)) return services['auth-server'].listener;
    if (this.#isTenantHost(request) || GATEWAY.test(path)) return services.gateway.listener;
    if (AUTH.test(path)) return services['auth-server'].listener;
    // What is nobody's path too: it is refused there in the API's own form.
    return services['control-plane'].listener;
  }

  #isTenantHost(request: IncomingMessage): boolean {
    const { WHARF_BASE_DOMAIN: base } = this.config;
    return base !== undefined && (request.headers.host ?? '').endsWith(`.${base}`);
  }
}

/** The gateway knows which hosts are ours too, refuses the others, and counts what it refused in the platform's log. */
function refuseHost(services: Services | undefined, request: IncomingMessage, response: ServerResponse): void {
  if (services !== undefined) return services.gateway.listener(request, response);
  throw new AppError('origin_refused', { message: 'This Host is not served here. Use the URL you were given.' });
}

function portError(error: NodeJS.ErrnoException, port: number): Error {
  if (error.code === 'EADDRINUSE') {
    return new EmbeddedError(
      `Port ${port} is taken by another program; stop it, or choose another port: WHARF_PORT=${port + 1} npm start`,
    );
  }
  return error.code === 'EACCES'
    ? new EmbeddedError(
        `Port ${port} may not be used by this user; choose one above 1023, for example WHARF_PORT=4000.`,
      )
    : error;
}
