import type { IncomingMessage, ServerResponse } from 'node:http';
import { LRUCache } from 'lru-cache';
import type { ConnectRecorder, Destination, Step } from '#libs/connect-attempts';
import { AppError } from '#libs/errors';
import { clientAddress } from '#libs/http';
import type { Principal } from '#libs/identity';
import type { AuthorizedCall } from '../access/authorize.js';
import type { Exchange } from '../edge/exchange.js';
import type { TenantUrl } from '../edge/tenant-url.js';
import { OWN_URL, type RoutedUrl } from '../routing/profiles.js';
import type { RoutedCall, RouteTable } from '../routing/route-table.js';
import { ruleOf } from './rule-of.js';

/** The requests with which agents begin. */
const BEGINNINGS: Readonly<Record<string, Step>> = {
  initialize: 'connect',
  'server/discover': 'connect',
  'tools/list': 'list',
};
/** A principal that began is not noted again within this time. */
const AGAIN_MS = 10 * 60 * 1_000;
const REMEMBERED_MAX = 20_000;

/** What the gateway's half of the connection doctor rests on. */
export interface ConnectAttemptsParts {
  readonly recorder: Pick<ConnectRecorder, 'note'>;
  readonly routes: Pick<RouteTable, 'getTenantAt'>;
  readonly trustProxy: boolean;
}

/** A refused request as far as it came. */
export interface RefusedRequest {
  readonly error: AppError;
  readonly target: TenantUrl;
  readonly routed?: RoutedCall | undefined;
  readonly principal?: Principal | undefined;
  readonly exchange?: Exchange | undefined;
}

/**
 * Notes how far agents come at tenant URLs: metadata read, requests refused, first requests answered. Calls of agents
 * that are connected pass by with one look at their method.
 */
export class ConnectAttempts {
  readonly #begun = new LRUCache<string, true>({ max: REMEMBERED_MAX, ttl: AGAIN_MS });

  constructor(private readonly parts: ConnectAttemptsParts) {}

  /** An agent read the metadata of a tenant URL. */
  noteMetadata(request: IncomingMessage, tenantId: string, target: TenantUrl): void {
    const destination = destinationOf(tenantId, target);
    this.parts.recorder.note({ visit: this.#visitOf(request), step: 'resource_metadata', rule: 'ok', destination });
  }

  /** A request was answered; only those count with which agents begin, once in ten minutes. */
  noteAnswered(call: AuthorizedCall, exchange: Exchange, response: ServerResponse): void {
    const step = beginningOf(exchange);
    if (step === undefined) return;
    const key = `${step}|${response.statusCode}|${call.target.resource}|${call.principalBinding}`;
    if (this.#begun.has(key)) return;
    this.#begun.set(key, true);
    this.parts.recorder.note({
      visit: this.#visitOf(call.request),
      step,
      rule: response.statusCode < 400 ? 'ok' : response.statusCode < 500 ? 'message_invalid' : 'server_failed',
      destination: destinationOf(call.tenant.tenantId, call.target),
      client: clientOf(call.principal),
      identity: 'proven',
    });
  }

  /** A request was refused; what fails later than connecting is no affair of this. */
  noteRefused(request: IncomingMessage, refused: RefusedRequest): void {
    const { error, exchange, target, routed, principal } = refused;
    const step = exchange === undefined ? 'connect' : beginningOf(exchange);
    if (step === undefined || error.code === 'not_found') return;
    const rule = ruleOf(error, request, routed?.credential.kind);
    this.parts.recorder.note({
      visit: this.#visitOf(request),
      step: rule === 'ok' || rule === 'origin_refused' ? 'challenge' : step,
      rule,
      destination: routed === undefined ? () => this.#find(target) : destinationOf(routed.tenant.tenantId, target),
      client: clientOf(principal),
      ...(principal === undefined ? {} : { identity: 'proven' }),
    });
  }

  async #find(target: TenantUrl): Promise<Destination | undefined> {
    try {
      return destinationOf((await this.parts.routes.getTenantAt(target)).tenantId, target);
    } catch (error) {
      if (error instanceof AppError && error.code === 'not_found') return undefined;
      throw error;
    }
  }

  #visitOf(request: IncomingMessage) {
    return { address: clientAddress(request, this.parts.trustProxy), userAgent: request.headers['user-agent'] };
  }
}

function beginningOf({ head }: Exchange): Step | undefined {
  return head?.kind === 'request' ? BEGINNINGS[head.method ?? ''] : undefined;
}

function destinationOf(tenantId: string, { serverSlug, resource, profile }: RoutedUrl): Destination {
  const ofProfile = profile === undefined || profile.slug === OWN_URL ? undefined : profile.slug;
  return { tenantId, serverSlug: ofProfile ?? serverSlug, resource };
}

function clientOf(principal: Principal | undefined): string | undefined {
  return principal?.kind === 'person' ? principal.clientId : undefined;
}
