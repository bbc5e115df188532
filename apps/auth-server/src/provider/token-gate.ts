import type Provider from 'oidc-provider';
import type { AuthorizationCode, KoaContextWithOIDC, RefreshToken } from 'oidc-provider';
import type { AccessAudit } from '../access/access-audit.js';
import type { ResourceAccess } from '../access/resource-access.js';
import type { Allowance, AttemptCounter } from '../limits/attempt-counter.js';
import { ReplayedRequest } from '../replayed-request.js';

/** Failed client authentications of one address in 15 minutes. */
const CLIENT_FAILURES_MAX = 100;
const CLIENT_FAILURES_SECONDS = 15 * 60;

/** What stands around the token endpoint. */
export interface TokenGateParts {
  readonly provider: Provider;
  readonly access: ResourceAccess;
  readonly audit: AccessAudit;
  readonly attempts: AttemptCounter;
  /** Called with a client's id when it got a token. */
  readonly keepClient: (clientId: string) => Promise<void>;
}

interface Refusal {
  readonly status: number;
  readonly error: string;
  readonly description: string;
  readonly retryAfterSeconds?: number;
}

type Next = () => Promise<unknown>;

/**
 * Runs around the token endpoint: judges `resource` before a code or refresh token is used up (so that a mistake costs
 * no sign-in), and records what was issued before the answer leaves.
 */
export class TokenGate {
  constructor(private readonly parts: TokenGateParts) {}

  /** The middleware; other routes pass. */
  async handle(ctx: KoaContextWithOIDC, next: Next): Promise<void> {
    if (ctx.path !== '/token' || ctx.method !== 'POST' || !(ctx.req instanceof ReplayedRequest)) {
      await next();
      return;
    }
    const refusal = await this.#refusalOf(ctx.req);
    if (refusal !== undefined) {
      refuse(ctx, refusal);
      return;
    }
    await next();
    if (ctx.status === 200) await this.#recordOrWithhold(ctx, ctx.req.address);
    else if (errorOf(ctx.body) === 'invalid_client') await this.parts.attempts.take(failuresOf(ctx.req.address));
  }

  async #refusalOf(request: ReplayedRequest): Promise<Refusal | undefined> {
    const retryAfterSeconds = await this.parts.attempts.wait(failuresOf(request.address));
    if (retryAfterSeconds > 0) {
      const description = 'Too many requests with wrong client credentials came from this address. Try again later.';
      return { status: 429, error: 'temporarily_unavailable', description, retryAfterSeconds };
    }
    const form = request.form;
    const resources = form.getAll('resource');
    const problem =
      resources.length > 1 ? 'Ask for one resource at a time.' : await this.#problemOf(form, resources[0]);
    return problem === undefined ? undefined : { status: 400, error: 'invalid_target', description: problem };
  }

  async #problemOf(form: URLSearchParams, resource: string | undefined): Promise<string | undefined> {
    if (resource === undefined) return undefined;
    const target = await this.parts.access.findTarget(resource);
    if (target === undefined) return 'The resource is not a tenant URL of this platform.';
    if (target.suspended) return 'The tenant of this resource is suspended.';
    const source = await this.#sourceOf(form);
    if (source !== undefined && !source.resourceIndicators.has(resource)) {
      return 'The authorization was given for another resource.';
    }
    return undefined;
  }

  async #sourceOf(form: URLSearchParams): Promise<AuthorizationCode | RefreshToken | undefined> {
    const { AuthorizationCode: Codes, RefreshToken: RefreshTokens } = this.parts.provider;
    if (form.get('grant_type') === 'refresh_token') return RefreshTokens.find(form.get('refresh_token') ?? '');
    return Codes.find(form.get('code') ?? '');
  }

  /** What cannot be recorded is not handed out. */
  async #recordOrWithhold(ctx: KoaContextWithOIDC, address: string): Promise<void> {
    try {
      await this.#recordIssued(ctx, address);
    } catch (error) {
      ctx.app.emit('error', error, ctx);
      ctx.status = 500;
      ctx.body = { error: 'server_error', error_description: 'The token could not be issued. Try again.' };
    }
  }

  async #recordIssued(ctx: KoaContextWithOIDC, address: string): Promise<void> {
    const { AccessToken: token, Client: client } = ctx.oidc.entities;
    const target = typeof token?.aud === 'string' ? await this.parts.access.findTarget(token.aud) : undefined;
    if (token === undefined || client === undefined || target === undefined) {
      throw new Error('a token was issued for no resource');
    }
    await this.parts.audit.record(target, {
      event: 'token.issued',
      actor: { kind: 'person', id: token.accountId, client: client.clientId },
      outcome: 'ok',
      details: { token: token.jti, scope: token.scope, grant: ctx.oidc.params?.['grant_type'] },
      sourceAddress: address,
    });
    await this.parts.keepClient(client.clientId);
    const { replacement } = ctx.state;
    if (typeof replacement === 'string') ctx.body = { ...asObject(ctx.body), refresh_token: replacement };
  }
}

function failuresOf(address: string): Allowance {
  return { key: `client-auth|${address}`, max: CLIENT_FAILURES_MAX, windowSeconds: CLIENT_FAILURES_SECONDS };
}

function refuse(ctx: KoaContextWithOIDC, refusal: Refusal): void {
  ctx.status = refusal.status;
  ctx.set('cache-control', 'no-store');
  ctx.set('access-control-allow-origin', ctx.get('origin') || '*');
  ctx.vary('origin');
  if (refusal.retryAfterSeconds !== undefined) ctx.set('retry-after', String(refusal.retryAfterSeconds));
  ctx.body = { error: refusal.error, error_description: refusal.description };
}

function asObject(body: unknown): object {
  return typeof body === 'object' && body !== null ? body : {};
}

function errorOf(body: unknown): unknown {
  return 'error' in asObject(body) ? Reflect.get(asObject(body), 'error') : undefined;
}
