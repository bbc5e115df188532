import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { ConnectRecorder, RuleId, Step } from '#libs/connect-attempts';
import { AppError, toAppError } from '#libs/errors';
import { clientAddress, errorDocs, readBody, requestIdOf, requireOneHost, securityHeaders, sendJson } from '#libs/http';
import { withDeadline } from '#libs/resilience';
import type { Logger } from '#libs/telemetry';
import type { AccessAudit } from './access/access-audit.js';
import type { ResourceAccess } from './access/resource-access.js';
import { DEVICE_ROUTES, PREFILLED } from './device/device-flow.js';
import type { GrantsApi } from './grants/grants-api.js';
import type { OwnPages } from './account-pages/own-pages.js';
import type { Connections } from './connections/connections.js';
import type { Callback } from './federated-sign-in/callback.js';
import type { InteractionPages } from './interactions/interaction-pages.js';
import { withFindableToken } from './provider/issued-tokens/issued-token-store.js';
import type { AttemptCounter } from './limits/attempt-counter.js';
import { answersMethod, METADATA_METHODS, methodsOf } from './provider/endpoint-methods.js';
import { registrationsOf } from './provider/configuration.js';
import { parseRegistration } from './provider/registration/registration.js';
import { withCanonicalResource } from './provider/resources/resource-parameter.js';
import { refuseZeros, ReplayedRequest } from './replayed-request.js';
import { answerFailure } from './refusals/failed-requests.js';
import { routeOf, type Route } from './routes.js';

const BODY_BYTES_MAX = 16 * 1024;
/** A registration may hold many redirect URIs, and is told that they are too many. */
const REGISTRATION_BYTES_MAX = 64 * 1024;
const BODY_MS_MAX = 10_000;
/** Where connections begin. */
const STARTS: ReadonlySet<string> = new Set(['/authorize', '/par', DEVICE_ROUTES.device_authorization]);
const AUTHORIZATIONS = { max: 1_000, windowSeconds: 15 * 60 };
const ANY_ORIGIN = {
  'access-control-allow-origin': '*',
  'access-control-allow-methods': 'POST',
  'access-control-allow-headers': 'content-type, mcp-protocol-version',
  'access-control-max-age': '3600',
};

/** What the listener hands requests to. */
export interface ListenerParts {
  readonly issuer: URL;
  /** Where the management API is, which explains errors. */
  readonly publicUrl: string;
  readonly trustProxy: boolean;
  readonly registrationsPerHour: number;
  readonly provider: RequestListener;
  readonly pages: InteractionPages;
  readonly own: OwnPages;
  readonly grants: GrantsApi;
  readonly callback: Callback;
  readonly connections: Connections;
  readonly access: ResourceAccess;
  readonly attempts: AttemptCounter;
  readonly recorder: Pick<ConnectRecorder, 'note'>;
  readonly audit: Pick<AccessAudit, 'noteUnplaced'>;
  readonly logger: Logger;
}

/** Reads every request within our bounds, then lets the provider or our pages answer it. */
export function createListener(parts: ListenerParts): RequestListener {
  return (request, response) => {
    const route = findRoute(parts.issuer, request);
    const requestId = requestIdOf(request);
    response.setHeader('x-request-id', requestId);
    answer(parts, request, response, route).catch((thrown: unknown) => {
      const error = toAppError(thrown);
      if (error.status >= 500) parts.logger.error({ err: thrown, request_id: requestId }, 'a request failed');
      answerFailure(request, response, route, { error, docs: errorDocs(parts.publicUrl, error.code) });
    });
  };
}

/** Where a request goes; its host is not looked at. */
function findRoute(issuer: URL, request: IncomingMessage): Route {
  const url = `${issuer.origin}${request.url}`;
  const isPath = request.url?.startsWith('/') === true && URL.canParse(url);
  return isPath ? routeOf(issuer, new URL(url).pathname) : { kind: 'none' };
}

async function answer(
  parts: ListenerParts,
  request: IncomingMessage,
  response: ServerResponse,
  route: Route,
): Promise<void> {
  securityHeaders(response);
  requireOneHost(request);
  if (route.kind === 'none') throw new AppError('not_found');
  const path = request.url ?? '/';
  const url = new URL(`${parts.issuer.origin}${path}`);
  refuseZeros(url.search);
  switch (route.kind) {
    case 'metadata':
      if (answersMethod(request, response, METADATA_METHODS)) return;
      return parts.provider(await replayed(parts, request, '/.well-known/openid-configuration'), response);
    case 'interaction':
      return parts.pages.handle(await replayed(parts, request, `${url.pathname}${url.search}`), response, route.uid);
    case 'federation':
      return parts.callback.handle(await replayed(parts, request, path), response, route.tenantSlug);
    case 'sessions':
      return parts.own.handle(await replayed(parts, request, url.pathname), response, 'sessions');
    case 'account':
      return parts.own.handle(await replayed(parts, request, `${url.pathname}${url.search}`), response, route.page);
    case 'connections':
      return parts.own.handle(await replayed(parts, request, `${url.pathname}${url.search}`), response, 'connections');
    case 'connector':
      if (route.end === 'client') return parts.connections.describeClient(response, route);
      return parts.connections.wayBack.handle(await replayed(parts, request, path), response, route);
    case 'grants':
      return parts.grants.handle(request, response, route.id, clientAddress(request, parts.trustProxy));
    case 'moved':
      response.writeHead(302, { location: `${parts.issuer.href.replace(/\/$/, '')}${route.path}${url.search}` }).end();
      return;
    case 'registration':
      return register(parts, request, response);
    case 'provider': {
      if (answersMethod(request, response, methodsOf(route.path))) return;
      if (STARTS.has(route.path)) await boundAuthorizations(parts, request);
      const query = await queryOf(parts.access, route.path, url.searchParams);
      const asked = await replayed(parts, request, `${route.path}${query}`);
      asked.refuseZeros();
      return parts.provider(asked, response);
    }
  }
}

/** Each authorization request leaves rows behind for a quarter of an hour, so one address may make only so many. */
async function boundAuthorizations(parts: ListenerParts, request: IncomingMessage): Promise<void> {
  const key = `authorization|${clientAddress(request, parts.trustProxy)}`;
  const retryAfterSeconds = await parts.attempts.take({ key, ...AUTHORIZATIONS });
  if (retryAfterSeconds === 0) return;
  noteRefusal(parts, request, 'authorize', 'authorize_limited');
  throw new AppError('rate_limited', { retryAfterSeconds });
}

/** Notes at which rule of ours an agent was refused; where it was going, its trail tells. */
function noteRefusal(parts: ListenerParts, request: IncomingMessage, step: Step, rule: RuleId): void {
  const address = clientAddress(request, parts.trustProxy);
  parts.recorder.note({ visit: { address, userAgent: request.headers['user-agent'] }, step, rule });
  parts.audit.noteUnplaced(`${step}.${rule}`, address);
}

async function queryOf(access: ResourceAccess, path: string, params: URLSearchParams): Promise<string> {
  if (params.size === 0) return '';
  if (path === '/authorize') return `?${await withCanonicalResource(access, params, 'authorization')}`;
  // A code in a link is shown for the person to compare; the provider would take it as entered.
  const code = path === DEVICE_ROUTES.code_verification ? params.get('user_code') : null;
  return `?${code === null ? params : new URLSearchParams({ [PREFILLED]: code })}`;
}

async function bodyOf(request: IncomingMessage, bytesMax = BODY_BYTES_MAX): Promise<Buffer> {
  const deadline = withDeadline(BODY_MS_MAX);
  try {
    return await readBody(request, bytesMax, deadline.signal);
  } finally {
    deadline.done();
  }
}

/** The request with its body read; of a form, what the provider should read another way is spelled so. */
async function replayed(parts: ListenerParts, request: IncomingMessage, url: string): Promise<ReplayedRequest> {
  const body = await bodyOf(request);
  const isForm = request.headers['content-type']?.startsWith('application/x-www-form-urlencoded') === true;
  const rewritten = isForm ? await formFor(parts.access, url, new URLSearchParams(body.toString())) : undefined;
  return new ReplayedRequest(request, {
    url,
    body: rewritten === undefined ? body : Buffer.from(rewritten.toString()),
    issuer: parts.issuer,
    address: clientAddress(request, parts.trustProxy),
  });
}

async function formFor(
  access: ResourceAccess,
  path: string,
  form: URLSearchParams,
): Promise<URLSearchParams | undefined> {
  switch (path) {
    case '/token':
      return withCanonicalResource(access, form, 'token');
    case '/par':
    case DEVICE_ROUTES.device_authorization:
      return withCanonicalResource(access, form, 'authorization');
    case '/introspect':
    case '/revoke':
      return withFindableToken(form, path);
    default:
      return undefined;
  }
}

/** Dynamic client registration (RFC 7591): open, limited per address. */
async function register(parts: ListenerParts, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method === 'OPTIONS') {
    response.writeHead(204, ANY_ORIGIN).end();
    return;
  }
  if (request.method !== 'POST') {
    response.setHeader('allow', 'OPTIONS, POST');
    throw new AppError('method_not_allowed');
  }
  const address = clientAddress(request, parts.trustProxy);
  const retryAfterSeconds = await parts.attempts.take(registrationsOf(address, parts.registrationsPerHour));
  if (retryAfterSeconds > 0) {
    noteRefusal(parts, request, 'registration', 'registration_limited');
    const description = 'Too many clients were registered from this address. Try again later.';
    const answer = { error: 'temporarily_unavailable', error_description: description };
    return sendJson(response, 429, answer, { ...ANY_ORIGIN, 'retry-after': String(retryAfterSeconds) });
  }
  const registration = parseRegistration(await bodyOf(request, REGISTRATION_BYTES_MAX));
  if (registration.kind === 'refused') {
    const { error } = registration;
    const rule = error === 'invalid_redirect_uri' ? 'registration_redirect_uri' : 'registration_invalid';
    noteRefusal(parts, request, 'registration', rule);
    const answer = { error: registration.error, error_description: registration.description };
    return sendJson(response, 400, answer, ANY_ORIGIN);
  }
  const body = Buffer.from(JSON.stringify(registration.metadata));
  response.setHeader('access-control-allow-origin', '*');
  const { issuer } = parts;
  return parts.provider(new ReplayedRequest(request, { url: '/register', body, issuer, address }), response);
}
