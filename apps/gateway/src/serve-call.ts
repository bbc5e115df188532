import type { ServerResponse } from 'node:http';
import { AppError } from '#libs/errors';
import type { Principal } from '#libs/identity';
import type { Logger } from '#libs/telemetry';
import type { Access, AuthorizedCall } from './access/authorize.js';
import type { ToolScopes } from './access/tool-scopes.js';
import type { ConnectAttempts } from './connect-attempts/connect-attempts.js';
import type { RolloutWatch } from './rollouts/rollout-watch.js';
import type { Dispatcher } from './dispatch/dispatcher.js';
import type { Refusals } from './dispatch/refusals.js';
import { sendJson } from '#libs/http';
import { BatchAnswer } from './batches/batch-answer.js';
import { readBatch } from './batches/read-batch.js';
import { answerError, challengeOf } from './edge/answer-error.js';
import { classifyMessage, classifySessionRequest } from './edge/classify.js';
import { errorOf } from './edge/error-of.js';
import { aimed, withArguments, type Exchange, type RequestId } from './edge/exchange.js';
import type { InboundCall } from './edge/inbound-call.js';
import { readMessage } from './edge/read-message.js';
import type { TenantUrl } from './edge/tenant-url.js';
import type { Limits } from './limits/admit.js';
import type { CallLimits } from './limits/call-limits.js';
import { Floods } from './limits/floods.js';
import { RateReached } from './limits/rate-reached.js';
import type { CallObserver } from './observation/call-observer.js';
import { traced } from './observation/call-span.js';
import { readOldMessage, readOldStream, requireTransport } from './old-transport/old-requests.js';
import type { Approvals } from './policies/approvals.js';
import type { Policies } from './policies/policies.js';
import { waitingAnswer } from './policies/waiting-answer.js';
import { noticeDeprecation } from './routing/majors.js';
import { serversBehind } from './routing/profiles.js';
import { requireActive, type RoutedCall, type RouteTable } from './routing/route-table.js';
import type { LiveServer } from './routing/tenants.repository.js';
import { placeCall, type PlacedCall } from './sessions/place.js';
import type { Sessions } from './sessions/sessions.js';

/** The stages of a call. */
export interface PipelineParts {
  readonly routes: RouteTable;
  readonly access: Access;
  readonly toolScopes: ToolScopes;
  readonly limits: Limits;
  readonly callLimits: CallLimits;
  readonly policies: Policies;
  readonly approvals: Approvals;
  readonly sessions: Sessions;
  readonly rollouts: RolloutWatch;
  readonly dispatcher: Dispatcher;
  readonly refusals: Refusals;
  readonly attempts: ConnectAttempts;
  readonly observer: CallObserver;
  readonly logger: Logger;
}

/** How far a call came, for the answer and the log of one that fails. */
interface Progress {
  call?: InboundCall;
  routed?: RoutedCall & { readonly principalBinding?: string };
  principal?: Principal;
  exchange?: Exchange;
  id?: RequestId | undefined;
}

/** Takes a call through its stages: route, authorize, read, admit, place, dispatch. What floods is answered before them. */
export class CallPipeline {
  readonly #floods = new Floods();
  #inFlight = 0;
  #onIdle: (() => void) | undefined;

  constructor(private readonly parts: PipelineParts) {}

  /** Serves one call and answers what fails on the way. */
  async serve(receive: () => InboundCall, target: TenantUrl, response: ServerResponse): Promise<void> {
    const progress: Progress = {};
    this.#inFlight += 1;
    this.parts.observer.began();
    try {
      await this.#serve(receive(), progress, target, response);
    } catch (error) {
      this.#answerRefusal(errorOf(error), progress, target, response);
    } finally {
      this.#inFlight -= 1;
      this.parts.observer.ended();
      if (this.#inFlight === 0) this.#onIdle?.();
    }
  }

  /** Resolves when no call is in flight, and after `ms` at the latest. */
  async drained(ms: number): Promise<void> {
    if (this.#inFlight === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#onIdle = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async #serve(call: InboundCall, progress: Progress, target: TenantUrl, response: ServerResponse): Promise<void> {
    const { routes, access } = this.parts;
    progress.call = call;
    const above = this.#floods.find(call);
    if (above !== undefined) return this.#answerUnread(above, response);
    const routed = await routes.route(call);
    progress.routed = routed;
    noticeDeprecation(response, routed.tenant, routed.target);
    requireActive(routed.tenant);
    requireTransport(routed);
    const authorized = await access.authorize(routed, (principal) => {
      progress.principal = principal;
    });
    const read = await this.#readExchange(authorized, progress);
    if ('batch' in read) await this.#runBatch(authorized, read.batch, { ...progress }, target, response);
    else await this.#run(authorized, read, progress, response);
  }

  /** Each message of a batch is a call: admitted, recorded and answered, or refused, for itself. */
  async #runBatch(
    authorized: AuthorizedCall,
    batch: readonly Exchange[],
    progress: Progress,
    target: TenantUrl,
    response: ServerResponse,
  ): Promise<void> {
    const answer = new BatchAnswer(response);
    await Promise.all(
      batch.map(async (read) => {
        const own: Progress = { ...progress, id: read.head?.id };
        const part = answer.part();
        await this.#run(authorized, read, own, part).catch((error: unknown) =>
          this.#answerRefusal(errorOf(error), own, target, part),
        );
      }),
    );
    answer.end();
  }

  async #run(authorized: AuthorizedCall, read: Exchange, progress: Progress, response: ServerResponse): Promise<void> {
    const { routes, limits, policies, sessions, dispatcher } = this.parts;
    const exchange = authorized.target.profile?.search === true ? aimed(read) : read;
    progress.exchange = exchange;
    const understood = traced(authorized, exchange);
    progress.call = understood;
    progress.routed = understood;
    if (understood.tenant.guard !== undefined) await policies.requireRequest(understood);
    const admitted = await limits.admit(understood, exchange);
    try {
      const placed = await placeCall(admitted, sessions, routes);
      await dispatcher.dispatch(await this.#allowed(placed), response);
      this.parts.attempts.noteAnswered(authorized, exchange, response);
    } finally {
      admitted.release();
    }
  }

  /** The call with its tool, as far as it is one of a tool that may be called, and with its approval where it needs one. */
  async #allowed(placed: PlacedCall): Promise<PlacedCall> {
    const { toolScopes, callLimits, policies, approvals, rollouts } = this.parts;
    const tool = await toolScopes.require(placed).catch((error: unknown) => {
      rollouts.noteRefused(placed);
      throw error;
    });
    if (tool === undefined) return placed;
    const wanted = placed.tenant.guard === undefined ? undefined : await policies.requireToolCall(placed, tool);
    await callLimits.take(placed, tool);
    if (wanted === undefined) return { ...placed, tool };
    return { ...placed, tool, approval: await approvals.use(placed, tool, wanted) };
  }

  async #readExchange(
    call: AuthorizedCall,
    progress: Progress,
  ): Promise<Exchange | { readonly batch: readonly Exchange[] }> {
    const { transport } = call.target;
    if (transport === 'sse') return readOldStream(call);
    if (call.method !== 'POST') return classifySessionRequest(call.request, call.method);
    const endReading = this.parts.limits.startReading(call);
    try {
      const received = await readMessage(call.request, transport === 'messages' ? 'elsewhere' : 'here');
      progress.id = received.id;
      const { guard } = call.tenant;
      if (transport === 'messages') return guarded(guard, readOldMessage(call, received), received.value);
      const batch = readBatch(call.request, received);
      return batch === undefined ? guarded(guard, classifyMessage(call.request, received), received.value) : { batch };
    } finally {
      endReading();
    }
  }

  #answerUnread(error: AppError, response: ServerResponse): void {
    this.parts.observer.refusedUnread(error);
    answerError(response, error, undefined, undefined);
  }

  #countRefusal(error: AppError, { routed, exchange }: Progress, seconds: number): void {
    const { observer } = this.parts;
    if (routed === undefined || exchange === undefined) return observer.refusedUnread(error);
    const { sessionId } = exchange;
    const errorCode = error.jsonRpcCode;
    observer.count({ call: routed, exchange, outcome: error.code, errorCode, fault: undefined, sessionId, seconds });
  }

  #answerRefusal(error: AppError, progress: Progress, target: TenantUrl, response: ServerResponse): void {
    const { call, routed, exchange } = progress;
    const seconds = call === undefined ? 0 : (performance.now() - call.startedMs) / 1_000;
    this.#countRefusal(error, progress, seconds);
    if (routed !== undefined) this.parts.refusals.note(error, routed, progress);
    else if (call !== undefined) this.parts.refusals.noteUnplaced(error, call.address);
    const { principal } = progress;
    if (error instanceof RateReached && call !== undefined && principal !== undefined && this.#floods.note(call, error))
      this.parts.logger.info({ tenant_id: routed?.tenant.tenantId }, 'a flood above a limit is refused unread');
    this.parts.attempts.noteRefused(response.req, { error, target, routed, principal, exchange });
    const level = error.code === 'internal' ? 'error' : 'info';
    this.parts.logger[level](
      {
        tenant_id: routed?.tenant.tenantId,
        trace_id: call?.traceId,
        code: error.code,
        method: exchange?.head?.method,
        ...error.detail,
        ...(error.code === 'internal' ? { cause: causeOf(error) } : {}),
      },
      'call refused',
    );
    if (error.code === 'approval_required' && exchange !== undefined && target.transport === 'http')
      return sendJson(response, 200, waitingAnswer(error, progress.id, exchange));
    const given = call?.credential.kind === 'none' || call === undefined ? 'no-credential' : 'credential-given';
    answerError(response, error, progress.id, challengeOf(error, routed?.target ?? target, serversOf(routed), given));
  }
}

/** The exchange with its arguments, where rules of the tenant may look at them. */
function guarded(guard: RoutedCall['tenant']['guard'], exchange: Exchange, message: unknown): Exchange {
  return guard === undefined ? exchange : withArguments(exchange, message);
}

function serversOf(routed: RoutedCall | undefined): readonly LiveServer[] {
  return routed === undefined ? [] : serversBehind(routed.tenant.servers, routed.target);
}

function causeOf(error: AppError): string {
  return error.cause instanceof Error ? (error.cause.stack ?? error.cause.message) : String(error.cause);
}
