import type { KoaContextWithOIDC } from 'oidc-provider';
import { DEVICE_ROUTES } from '../../device/device-flow.js';
import type { Allowance, AttemptCounter } from '../../limits/attempt-counter.js';
import { Guesses } from '../../limits/guesses.js';
import { ReplayedRequest } from '../../replayed-request.js';

/** Where clients authenticate. */
const ENDPOINTS = new Set<string>(['/token', '/revoke', '/introspect', '/par', DEVICE_ROUTES.device_authorization]);
/** Failed authentications within 15 minutes: of one address as one client, and of one address as anybody. */
const FAILURES_OF_CLIENT_MAX = 20;
const FAILURES_OF_ADDRESS_MAX = 100;
const FAILURES_SECONDS = 15 * 60;
const BASIC = /^Basic +([A-Za-z0-9+/]+={0,2})$/i;

/** Why a client was not authenticated, whatever of it is wrong. */
const INVALID_CLIENT = { error: 'invalid_client', error_description: 'client authentication failed' };

/**
 * Stands before every endpoint where clients authenticate: holds up guessing of secrets, per client and address and
 * per address, and refuses malformed credentials as the failed authentication that they are (RFC 6749 §5.2).
 * A client is not locked out for others' failures: its secret has 256 random bits, and whoever wanted it out could.
 */
export class ClientAuthentication {
  readonly #guesses: Guesses;

  constructor(
    private readonly attempts: AttemptCounter,
    private readonly issuer: URL,
  ) {
    this.#guesses = new Guesses(attempts);
  }

  /** The middleware; other routes pass. */
  async handle(ctx: KoaContextWithOIDC, next: () => Promise<unknown>): Promise<void> {
    const { req: request } = ctx;
    if (!ENDPOINTS.has(ctx.path) || ctx.method !== 'POST' || !(request instanceof ReplayedRequest)) {
      await next();
      return;
    }
    const presented = presentedBy(request);
    const failures = failuresOf(request.address, presented.clientId);
    // Who only says a name guesses no secret: an app's whole public may come from one address at once.
    const guesses = presented.credential;
    const turn = guesses ? await this.#guesses.begin(...failures) : undefined;
    const retryAfterSeconds = turn?.retryAfterSeconds ?? (await this.attempts.wait(...failures));
    if (retryAfterSeconds > 0) {
      ctx.set('retry-after', String(retryAfterSeconds));
      const description = 'Too many requests with wrong client credentials came from this address. Try again later.';
      return refuse(ctx, 429, { error: 'temporarily_unavailable', error_description: description });
    }
    try {
      await this.#answer(ctx, presented, next);
    } finally {
      const wrong = errorOf(ctx.body) === 'invalid_client';
      if (turn !== undefined) await turn.end?.(wrong ? 'wrong' : 'not-wrong');
      else if (wrong) await this.attempts.take(...failures);
    }
  }

  async #answer(ctx: KoaContextWithOIDC, presented: Presented, next: () => Promise<unknown>): Promise<void> {
    // Nobody learns anything of a token without a credential of their own (RFC 7662 §2.1).
    if (presented.malformed || (ctx.path === '/introspect' && !presented.credential)) {
      ctx.set('www-authenticate', `Basic realm="${this.issuer.href.replace(/\/$/, '')}", error="invalid_client"`);
      refuse(ctx, 401, INVALID_CLIENT);
    } else {
      await next();
    }
  }
}

interface Presented {
  readonly clientId: string;
  /** Whether there is anything beside a name. */
  readonly credential: boolean;
  readonly malformed: boolean;
}

function presentedBy(request: ReplayedRequest): Presented {
  const { authorization } = request.headers;
  const { form } = request;
  const inForm = form.has('client_secret') || form.has('client_assertion');
  if (authorization === undefined) {
    const clientId = form.get('client_id') ?? subjectOf(form.get('client_assertion'));
    return { clientId, credential: inForm, malformed: false };
  }
  const basic = basicOf(authorization);
  return { clientId: basic ?? form.get('client_id') ?? '', credential: true, malformed: basic === undefined };
}

/** The client that Basic credentials name; undefined for anything that is not exactly such credentials (RFC 6749 §2.3.1). */
function basicOf(header: string): string | undefined {
  const encoded = BASIC.exec(header)?.[1] ?? '';
  const bytes = Buffer.from(encoded, 'base64');
  const unpadded = encoded.replace(/=+$/, '');
  if (bytes.toString('base64').replace(/=+$/, '') !== unpadded) return undefined;
  if (encoded !== unpadded && encoded !== bytes.toString('base64')) return undefined;
  const text = bytes.toString();
  const colon = text.indexOf(':');
  if (colon < 1 || colon === text.length - 1) return undefined;
  try {
    const secret = decodeURIComponent(text.slice(colon + 1));
    const clientId = decodeURIComponent(text.slice(0, colon).replaceAll('+', '%20'));
    return `${clientId}${secret}`.includes('\0') ? undefined : clientId;
  } catch {
    return undefined;
  }
}

/** Whom an assertion claims to be of, before anything of it is proved. */
function subjectOf(assertion: string | null): string {
  try {
    const claims: unknown = JSON.parse(Buffer.from(assertion?.split('.')[1] ?? '', 'base64url').toString());
    return String(Reflect.get(Object(claims), 'sub') ?? '');
  } catch {
    return '';
  }
}

function failuresOf(address: string, clientId: string): Allowance[] {
  const windowSeconds = FAILURES_SECONDS;
  return [
    { key: `client-auth|${address}|${clientId}`, max: FAILURES_OF_CLIENT_MAX, windowSeconds },
    { key: `client-auth|${address}`, max: FAILURES_OF_ADDRESS_MAX, windowSeconds },
  ];
}

function refuse(ctx: KoaContextWithOIDC, status: number, body: object): void {
  ctx.status = status;
  ctx.set('cache-control', 'no-store');
  ctx.set('access-control-allow-origin', ctx.get('origin') || '*');
  ctx.vary('origin');
  ctx.body = body;
}

function errorOf(body: unknown): unknown {
  return typeof body === 'object' && body !== null ? Reflect.get(body, 'error') : undefined;
}
