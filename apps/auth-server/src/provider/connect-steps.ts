import type Provider from 'oidc-provider';
import type { KoaContextWithOIDC } from 'oidc-provider';
import { challengeOfVerifier, type ConnectRecorder, type Destination, type StepNote } from '#libs/connect-attempts';
import type { ResourceAccess } from '../access/resource-access.js';
import { authorizeRule, tokenRule, type OAuthProblem } from '../connect-attempts/rules-of-errors.js';
import { ReplayedRequest } from '../replayed-request.js';

/** Where a context's state says what the provider refused, and that it let an authorization request on. */
export const PROBLEM = 'connectProblem';
const ACCEPTED = 'connectAccepted';

/** What an agent is told that is to come again: while its person has not decided (RFC 8628 §3.5), or with a nonce. */
export const WAITING: ReadonlySet<string> = new Set(['authorization_pending', 'slow_down', 'use_dpop_nonce']);

/** What the observer rests on. */
export interface ConnectStepsParts {
  readonly provider: Provider;
  readonly access: ResourceAccess;
  readonly recorder: Pick<ConnectRecorder, 'note'>;
}

/** Watches the provider's endpoints and notes how far agents come; it changes no answer. */
export class ConnectSteps {
  constructor(private readonly parts: ConnectStepsParts) {
    const { provider } = parts;
    const refused = (ctx: KoaContextWithOIDC, error: Error): void => {
      ctx.state[PROBLEM] = problemOf(error);
    };
    const accepted = (ctx: KoaContextWithOIDC): void => {
      ctx.state[ACCEPTED] = true;
    };
    provider.on('authorization.error', refused);
    provider.on('grant.error', refused);
    provider.on('server_error', (ctx) => {
      ctx.state[PROBLEM] = { error: 'server_error', description: '', detail: '' } satisfies OAuthProblem;
    });
    provider.on('interaction.started', accepted);
    provider.on('authorization.success', accepted);
  }

  /** The middleware. */
  async handle(ctx: KoaContextWithOIDC, next: () => Promise<unknown>): Promise<void> {
    await next();
    if (!(ctx.req instanceof ReplayedRequest)) return;
    const step = this.#stepOf(ctx, ctx.req);
    if (step === undefined) return;
    const visit = { address: ctx.req.address, userAgent: ctx.req.headers['user-agent'] };
    this.parts.recorder.note({ visit, ...step });
  }

  #stepOf(ctx: KoaContextWithOIDC, request: ReplayedRequest): Omit<StepNote, 'visit'> | undefined {
    // What the gate before the provider refuses has no route yet.
    switch (ctx.oidc?.route ?? (ctx.method === 'POST' && ctx.path === '/token' ? 'token' : undefined)) {
      case 'discovery':
        return { step: 'server_metadata', rule: 'ok' };
      case 'registration':
        return ctx.status === 201
          ? { step: 'registration', rule: 'ok', client: textOf(ctx.body, 'client_id') }
          : { step: 'registration', rule: 'registration_invalid' };
      case 'authorization':
        return this.#authorizeStep(ctx);
      case 'pushed_authorization_request':
        return ctx.status === 201 ? undefined : this.#pushedStep(ctx, request.form);
      case 'device_authorization':
        return this.#deviceStep(ctx, request.form);
      case 'token':
        return this.#tokenStep(ctx, request.form);
      default:
        return undefined;
    }
  }

  #authorizeStep(ctx: KoaContextWithOIDC): Omit<StepNote, 'visit'> | undefined {
    const problem: OAuthProblem | undefined = ctx.state[PROBLEM];
    if (problem === undefined && ctx.state[ACCEPTED] !== true) return undefined;
    const params = new URLSearchParams(ctx.querystring);
    // What was pushed before (RFC 9126) is with the provider alone.
    const pushed: unknown = params.has('request_uri') ? ctx.oidc.params : undefined;
    return {
      step: 'authorize',
      rule: problem === undefined ? 'ok' : authorizeRule(problem, params.get('client_id') ?? undefined),
      destination: this.#finder(params.get('resource') ?? textOf(pushed, 'resource') ?? null),
      client: params.get('client_id') ?? undefined,
      challenge: params.get('code_challenge') ?? textOf(pushed, 'code_challenge'),
    };
  }

  #pushedStep(ctx: KoaContextWithOIDC, form: URLSearchParams): Omit<StepNote, 'visit'> {
    return {
      step: 'authorize',
      rule: authorizeRule(problemOf(ctx.body), form.get('client_id') ?? undefined),
      destination: this.#finder(form.get('resource')),
      client: ctx.oidc.client?.clientId ?? form.get('client_id') ?? undefined,
      challenge: form.get('code_challenge') ?? undefined,
    };
  }

  #deviceStep(ctx: KoaContextWithOIDC, form: URLSearchParams): Omit<StepNote, 'visit'> {
    return {
      step: 'authorize',
      rule: ctx.status === 200 ? 'ok' : authorizeRule(problemOf(ctx.body), form.get('client_id') ?? undefined),
      destination: this.#finder(form.get('resource')),
      client: ctx.oidc.client?.clientId ?? form.get('client_id') ?? undefined,
    };
  }

  /** A refresh that succeeds is no attempt to connect and is not noted. */
  #tokenStep(ctx: KoaContextWithOIDC, form: URLSearchParams): Omit<StepNote, 'visit'> | undefined {
    const grantType = form.get('grant_type') ?? '';
    const verifier = form.get('code_verifier');
    const shared = {
      step: 'token',
      client: ctx.oidc?.client?.clientId ?? form.get('client_id') ?? undefined,
      challenge: verifier === null ? undefined : challengeOfVerifier(verifier),
    } as const;
    if (ctx.status === 200) {
      const audience = ctx.oidc.entities.AccessToken?.aud;
      if (grantType === 'refresh_token' || typeof audience !== 'string') return undefined;
      return { ...shared, rule: 'ok', destination: this.#finder(audience), identity: 'proven' };
    }
    const problem: OAuthProblem = ctx.state[PROBLEM] ?? problemOf(ctx.body);
    if (WAITING.has(problem.error)) return undefined;
    return { ...shared, rule: tokenRule(problem, grantType), destination: this.#finder(form.get('resource')) };
  }

  #finder(resource: string | null): (() => Promise<Destination | undefined>) | undefined {
    return resource === null ? undefined : () => findDestination(this.parts.access, resource);
  }
}

/** The tenant URL behind a `resource`; the management API is none. */
async function findDestination(access: ResourceAccess, resource: string): Promise<Destination | undefined> {
  const target = await access.findTarget(resource);
  if (target === undefined || target.scope !== 'mcp') return undefined;
  return { tenantId: target.tenantId, serverSlug: target.profileSlug ?? target.serverSlug, resource: target.url };
}

/** An OAuth error out of what says it: an error, or the body of an answer. */
export function problemOf(source: unknown): OAuthProblem {
  return {
    error: textOf(source, 'error') ?? '',
    description: textOf(source, 'error_description') ?? '',
    detail: textOf(source, 'error_detail') ?? '',
  };
}

function textOf(source: unknown, name: string): string | undefined {
  const value: unknown = typeof source === 'object' && source !== null ? Reflect.get(source, name) : undefined;
  return typeof value === 'string' ? value : undefined;
}
