import type { IncomingMessage, ServerResponse } from 'node:http';
import type { UnplacedRefusals } from '#libs/audit';
import { AppError } from '#libs/errors';
import { clientAddress, errorDocs, requestIdOf, sendProblem } from '#libs/http';
import type { Logger } from '#libs/telemetry';
import { answerError } from './edge/answer-error.js';
import type { EarlyRefusals } from './overload/early-refusals.js';
import type { ConnectAttempts } from './connect-attempts/connect-attempts.js';
import { answerVisit } from './connect/answer-visit.js';
import { isBrowserVisit } from './connect/browser-visit.js';
import { allowOrigin, answerMetadataPreflight, answerPreflight } from './edge/cors.js';
import type { AllowedOrigins } from './edge/allowed-origins.js';
import { errorOf } from './edge/error-of.js';
import { requireOwnHost } from './edge/host-guard.js';
import { receiveCall } from './edge/inbound-call.js';
import { metadataQuestion, protectedResource, sendMetadata } from './edge/resource-metadata.js';
import { requireTransportAt } from './old-transport/old-requests.js';
import { METADATA_PATH, type TenantUrl, type TenantUrls } from './edge/tenant-url.js';
import type { RouteTable } from './routing/route-table.js';
import type { CallPipeline } from './serve-call.js';

/** What the front door leads to. */
export interface FrontDoorParts {
  readonly urls: TenantUrls;
  readonly origins: AllowedOrigins;
  readonly publicUrl: string;
  readonly issuer: string;
  readonly trustProxy: boolean;
  readonly routes: RouteTable;
  readonly pipeline: CallPipeline;
  readonly attempts: ConnectAttempts;
  readonly early: EarlyRefusals;
  /** Counts what is refused of no tenant. */
  readonly unplaced: Pick<UnplacedRefusals, 'note'>;
  readonly logger: Logger;
}

/** Answers every request of the gateway: tenant URLs, their preflights and their metadata. */
export class FrontDoor {
  constructor(private readonly parts: FrontDoorParts) {}

  /** Answers one request; never throws. */
  readonly answer = (request: IncomingMessage, response: ServerResponse): void => {
    this.#answer(request, response).catch((error: unknown) => {
      this.parts.logger.error(
        { cause: error instanceof Error ? error.stack : String(error) },
        'a request could not be answered',
      );
      response.destroy();
    });
  };

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { path, query } = splitTarget(request.url ?? '/');
    try {
      const host = requireOwnHost(request, this.parts.urls);
      if (path.startsWith(METADATA_PATH)) {
        if (request.method === 'OPTIONS') return answerMetadataPreflight(response);
        await this.#answerMetadata(request, response, host, path);
        return;
      }
      const target = this.parts.urls.find(host, path);
      allowOrigin(response, await this.parts.origins.require(request, host, target));
      if (isBrowserVisit(request)) {
        await answerVisit(request, response, this.parts.routes, target, query);
        return;
      }
      if (target === undefined) throw new AppError('not_found');
      await this.#answerTenantUrl(request, response, target, query);
    } catch (error) {
      this.#noteRefusal(request, path, error);
      this.#answerProblem(request, response, error);
    }
  }

  async #answerTenantUrl(
    request: IncomingMessage,
    response: ServerResponse,
    target: TenantUrl,
    query: URLSearchParams,
  ): Promise<void> {
    if (request.method === 'OPTIONS') {
      answerPreflight(request, response);
      return;
    }
    const early = this.parts.early.find(request, target);
    if (early !== undefined) {
      answerError(response, early, undefined, undefined);
      return;
    }
    await this.parts.pipeline.serve(() => receiveCall(request, target, query, this.parts.trustProxy), target, response);
  }

  async #answerMetadata(request: IncomingMessage, response: ServerResponse, host: string, path: string): Promise<void> {
    if (request.method !== 'GET' && request.method !== 'HEAD') throw new AppError('method_not_allowed');
    const { urls, routes, publicUrl, issuer } = this.parts;
    const question = metadataQuestion(urls, host, path);
    if (question === undefined) throw new AppError('not_found');
    const tenant =
      question.kind === 'management'
        ? await routes.getTenant(question.tenantSlug)
        : await routes.getTenantAt(question.target);
    if (question.kind === 'tenant-url') requireTransportAt(question.target, tenant);
    if (question.kind === 'tenant-url') this.parts.attempts.noteMetadata(request, tenant.tenantId, question.target);
    sendMetadata(response, protectedResource(question, tenant, publicUrl), issuer);
  }

  #noteRefusal(request: IncomingMessage, path: string, error: unknown): void {
    if (!(error instanceof AppError)) return;
    const { urls, attempts, unplaced, trustProxy } = this.parts;
    const target = urls.find(request.headers.host ?? '', path);
    if (error.code === 'origin_refused' && target !== undefined) attempts.noteRefused(request, { error, target });
    else if (error.code === 'origin_refused') unplaced.note('host_not_served', clientAddress(request, trustProxy));
    else if (error.code === 'not_found') unplaced.note('url_unknown', clientAddress(request, trustProxy));
  }

  #answerProblem(request: IncomingMessage, response: ServerResponse, thrown: unknown): void {
    const error = errorOf(thrown);
    const id = requestIdOf(request);
    if (error.code === 'internal') {
      this.parts.logger.error({ cause: String(error.cause), request_id: id }, 'a request failed');
    }
    sendProblem(response, error, { 'x-request-id': id }, errorDocs(this.parts.publicUrl, error.code));
  }
}

/** Nobody changes a query. */
const NO_QUERY = new URLSearchParams();

/** Path and query as they were sent: whatever is not written the plain way is not one of our URLs. */
function splitTarget(target: string): { path: string; query: URLSearchParams } {
  const at = target.indexOf('?');
  return at === -1
    ? { path: target, query: NO_QUERY }
    : { path: target.slice(0, at), query: new URLSearchParams(target.slice(at + 1)) };
}
