import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { KoaContextWithOIDC } from 'oidc-provider';
import { AppError, toProblemDocument } from '#libs/errors';
import { errorDocs, sendJson, sendProblem } from '#libs/http';
import { sendPage, type Page } from '#libs/pages';
import { DEVICE_ROUTES } from '../device/device-flow.js';
import { messagePage } from '../interactions/pages.js';
import { showPage } from '../provider/browsers/show-page.js';
import type { Route } from '../routes.js';
import { textsFor, waitSentence } from '../texts/texts.js';

/** Endpoints that programs ask and where they expect errors as RFC 6749 §5.2 has them. */
const OAUTH_ENDPOINTS: ReadonlySet<string> = new Set([
  '/token',
  '/par',
  '/introspect',
  '/revoke',
  DEVICE_ROUTES.device_authorization,
]);

/** Answers a request that failed before the provider or a page saw it, in the form that its sender reads. */
export function answerFailure(
  request: IncomingMessage,
  response: ServerResponse,
  route: Route,
  { error, docs }: { readonly error: AppError; readonly docs: string },
): void {
  if (route.kind === 'registration') return sendOAuthError(response, error, 'invalid_client_metadata');
  if (route.kind === 'provider' && OAUTH_ENDPOINTS.has(route.path)) {
    return sendOAuthError(response, error, 'invalid_request');
  }
  if (request.headers.accept?.includes('text/html') === true && route.kind !== 'grants') {
    return sendPage(response, failurePage(error, request.headers['accept-language']));
  }
  sendProblem(response, error, {}, docs);
}

/** Says that the provider knows no such path: to a person in a page of ours, to a program in a problem document. */
export function answerUnknownPath(ctx: KoaContextWithOIDC, publicUrl: string): void {
  if (ctx.status !== 404 || ctx.body !== undefined) return;
  const error = new AppError('not_found');
  if (ctx.get('accept').includes('text/html')) {
    return showPage(ctx, failurePage(error, ctx.get('accept-language')));
  }
  ctx.status = error.status;
  ctx.set('content-type', 'application/problem+json; charset=utf-8');
  ctx.body = toProblemDocument(error, {
    request_id: String(ctx.res.getHeader('x-request-id')),
    docs: errorDocs(publicUrl, error.code),
  });
}

/** Where a context's state says that something the request needs is away, such as a tenant on its way between two databases. */
const UNAVAILABLE = 'unavailable';

/** Keeps in mind that a request failed because something it needs is away, which `sayingWhatIsAway` answers; false for another fault. */
export function noteUnavailable(ctx: KoaContextWithOIDC, error: unknown): boolean {
  if (!(error instanceof AppError) || error.code !== 'unavailable') return false;
  ctx.state[UNAVAILABLE] = error;
  return true;
}

/** Runs what answers a request, and says of a fault that will pass when to come again: to a person, or as RFC 6749 §4.1.2.1 names it. */
export async function sayingWhatIsAway(ctx: KoaContextWithOIDC, answering: () => Promise<unknown>): Promise<void> {
  await answering().catch((error: unknown) => {
    // Of what stands around the provider's endpoints, which catch their own.
    if (!noteUnavailable(ctx, error)) throw error;
    ctx.app.emit('error', error, ctx);
    ctx.status = 500;
  });
  answerUnavailable(ctx);
}

function answerUnavailable(ctx: KoaContextWithOIDC): void {
  const error: unknown = ctx.state[UNAVAILABLE];
  if (!(error instanceof AppError) || ctx.status < 500) return;
  if (ctx.get('accept').includes('text/html')) return showPage(ctx, failurePage(error, ctx.get('accept-language')));
  ctx.status = error.status;
  if (error.retryAfterSeconds !== undefined) ctx.set('retry-after', String(error.retryAfterSeconds));
  ctx.body = { error: codeOf(error, 'server_error'), error_description: error.message };
}

function sendOAuthError(response: ServerResponse, error: AppError, ofSender: string): void {
  const headers: OutgoingHttpHeaders = {
    'access-control-allow-origin': '*',
    ...(error.retryAfterSeconds === undefined ? {} : { 'retry-after': String(error.retryAfterSeconds) }),
  };
  const body = { error: codeOf(error, ofSender), error_description: error.message };
  sendJson(response, error.status, body, headers);
}

function codeOf({ code, status }: AppError, ofSender: string): string {
  if (code === 'rate_limited' || code === 'unavailable') return 'temporarily_unavailable';
  return status >= 500 ? 'server_error' : ofSender;
}

function failurePage({ status, retryAfterSeconds }: AppError, acceptLanguage: string | undefined): Page {
  const texts = textsFor(acceptLanguage);
  const { messages, errors, startOver } = texts;
  if (status === 404) return messagePage(status, messages.gone, [messages.goneWhat], texts);
  if (retryAfterSeconds !== undefined) {
    const page = messagePage(status, messages.notPossible, [waitSentence(texts, retryAfterSeconds)], texts);
    return { ...page, retryAfterSeconds };
  }
  if (status >= 500) return messagePage(status, errors.other.heading, [errors.other.sentence], texts);
  return messagePage(status, messages.notPossible, [startOver], texts);
}
