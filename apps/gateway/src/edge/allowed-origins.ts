import type { IncomingMessage } from 'node:http';
import { AppError } from '#libs/errors';
import { isLoopback, isWebOrigin } from '#libs/http';
import type { RouteTable } from '../routing/route-table.js';
import type { TenantUrl, TenantUrls } from './tenant-url.js';

/** What decides which pages may call. */
export interface AllowedOriginsParts {
  readonly urls: TenantUrls;
  /** Origins that may call every tenant. */
  readonly everywhere: readonly string[];
  readonly routes: Pick<RouteTable, 'getTenant'>;
}

/**
 * Which web pages may call a tenant URL (MCP, transports, "Security": DNS rebinding): our own, those the installation
 * knows, and those the tenant names. What names no `Origin` is no page. Only an origin that the installation does not
 * know costs a look at the tenant, whose route the call needs anyway.
 */
export class AllowedOrigins {
  readonly #everywhere: ReadonlySet<string>;

  constructor(private readonly parts: AllowedOriginsParts) {
    this.#everywhere = new Set(parts.everywhere);
  }

  /** The origin of the page that calls under one of our hosts; undefined outside browsers. @throws AppError origin_refused */
  async require(request: IncomingMessage, host: string, target: TenantUrl | undefined): Promise<string | undefined> {
    const { origin } = request.headers;
    if (origin === undefined) return undefined;
    if (this.#isOurs(origin, host) || this.#everywhere.has(origin)) return origin;
    if (target !== undefined && isWebOrigin(origin) && (await this.#tenantAllows(origin, target))) return origin;
    throw new AppError('origin_refused', {
      message: 'Pages of this Origin may not call this URL. Its tenant can add the origin to `allowed_origins`.',
    });
  }

  /** A deployment on one's own machine also trusts the pages of that machine. */
  #isOurs(origin: string, host: string): boolean {
    const { urls } = this.parts;
    if (origin === urls.publicOrigin || origin === urls.originOf(host)) return true;
    return urls.isLocal && isWebOrigin(origin) && isLoopback(new URL(origin).hostname);
  }

  async #tenantAllows(origin: string, { tenantSlug }: TenantUrl): Promise<boolean> {
    try {
      return (await this.parts.routes.getTenant(tenantSlug)).allowedOrigins.includes(origin);
    } catch (error) {
      if (error instanceof AppError && error.code === 'not_found') return false;
      throw error;
    }
  }
}
