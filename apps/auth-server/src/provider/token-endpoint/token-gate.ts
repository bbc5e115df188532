import type Provider from 'oidc-provider';
import type { AccessToken, Client, ClientCredentials, KoaContextWithOIDC } from 'oidc-provider';
import { actorsOf } from '#libs/identity';
import type { AccessAudit } from '../../access/access-audit.js';
import type { ResourceAccess, Target } from '../../access/resource-access.js';
import { exchangedClaims } from '../../exchange/token-exchange.js';
import { DEVICE_CODE } from '../../device/device-flow.js';
import { pollsOf } from '../../device/device-gate.js';
import type { Standing } from '../../federation/standing.js';
import { GrantEnded } from '../../grants/grant-use.js';
import type { Grants } from '../../grants/grants.js';
import type { AttemptCounter } from '../../limits/attempt-counter.js';
import { noteUnavailable } from '../../refusals/failed-requests.js';
import { ReplayedRequest } from '../../replayed-request.js';
import { hashId } from '../artifacts/artifact-store.js';
import { REFRESH_TOKEN_SECONDS } from '../configuration.js';
import { ACCESS_TOKEN_SECONDS } from '../resources/resource-rules.js';
import { nameUnauthorized, proofProblemOf } from './named-errors.js';
import { resourceProblem } from './requested-resource.js';
import { redirectHostOf, resourcesOf, type TokenSource } from './token-source.js';

/** By how much clocks may differ. */
const TOLERANCE_SECONDS = 60;

/** What stands around the token endpoint. */
export interface TokenGateParts {
  readonly provider: Provider;
  readonly access: ResourceAccess;
  readonly audit: AccessAudit;
  readonly grants: Pick<Grants, 'noteUse'>;
  readonly attempts: AttemptCounter;
  readonly standing: Pick<Standing, 'check'>;
  /** Called with a client's id when it got a token. */
  readonly keepClient: (clientId: string) => Promise<void>;
}

interface Refusal {
  readonly status: number;
  readonly error: string;
  readonly description: string;
}

/** A token on its way out. */
interface Issued {
  readonly token: AccessToken;
  readonly client: Client;
  readonly target: Target;
  readonly source: TokenSource | undefined;
}

/** Where a context's state says that the request revoked a grant. */
const REVOKED = 'revokedGrant';
/** Where it says what is wrong with the proof of a key. */
const PROOF_PROBLEM = 'proofProblem';
/** What the provider says of every refused grant; what to do then is added to it. */
const BARE_REFUSAL = 'grant request is invalid';

type Next = () => Promise<unknown>;

/**
 * Runs around the token endpoint: judges `resource` before a code or refresh token is used up (so that a mistake costs
 * no sign-in), and records what was issued, and what was used a second time, before the answer leaves.
 */
export class TokenGate {
  constructor(private readonly parts: TokenGateParts) {
    // At the token endpoint the provider revokes a grant for one reason: what was used up was used again.
    parts.provider.on('grant.revoked', (ctx) => {
      ctx.state[REVOKED] = true;
    });
    parts.provider.on('grant.error', (ctx, error) => {
      ctx.state[PROOF_PROBLEM] = proofProblemOf(ctx, error);
    });
  }

  /** The middleware; other routes pass. */
  async handle(ctx: KoaContextWithOIDC, next: Next): Promise<void> {
    if (ctx.path !== '/token' || ctx.method !== 'POST' || !(ctx.req instanceof ReplayedRequest)) {
      await next();
      return;
    }
    // Found before the provider judges it: a revocation takes it away.
    const source = await this.#sourceOf(ctx.req.form);
    const refusal = await this.#refusalOf(ctx.req, source);
    if (refusal !== undefined) {
      refuse(ctx, refusal);
      return;
    }
    await this.#checkStanding(ctx.req, source);
    await next();
    if (source !== undefined && ctx.state[REVOKED] === true) await this.#recordReuse(ctx, source, ctx.req.address);
    if (ctx.status === 200) await this.#recordOrWithhold(ctx, source, ctx.req.address);
    else nameError(ctx);
  }

  /** Somebody who has left is known as such before their agent gets a further token. */
  async #checkStanding({ form, address }: ReplayedRequest, source: TokenSource | undefined): Promise<void> {
    if (source?.accountId === undefined || form.get('grant_type') !== 'refresh_token') return;
    await this.parts.standing.check({ accountId: source.accountId, clientId: source.clientId ?? '', address });
  }

  async #refusalOf({ form, headers }: ReplayedRequest, source: TokenSource | undefined): Promise<Refusal | undefined> {
    if (source !== undefined && (await this.#pollsTooOften(source))) {
      return { status: 400, error: 'slow_down', description: 'Wait five seconds between two requests.' };
    }
    const resources = form.getAll('resource');
    const [resource = source && resourcesOf(source)[0]] = resources;
    if (headers['dpop'] !== undefined && this.parts.access.isManagement(resource ?? '')) {
      const description = 'The management API takes plain bearer tokens. Ask again without a DPoP proof.';
      return { status: 400, error: 'invalid_request', description };
    }
    const problem = await resourceProblem(this.parts.access, resources, source);
    return problem === undefined ? undefined : { status: 400, error: 'invalid_target', description: problem };
  }

  /** Nobody has decided about a device code yet, and its device asks more often than it may. */
  async #pollsTooOften(source: TokenSource): Promise<boolean> {
    if (source.kind !== 'DeviceCode' || source.accountId !== undefined || source.error !== undefined) return false;
    return (await this.parts.attempts.take(pollsOf(hashId(source.jti)))) > 0;
  }

  async #sourceOf(form: URLSearchParams): Promise<TokenSource | undefined> {
    const { AuthorizationCode: Codes, RefreshToken: RefreshTokens, DeviceCode: DeviceCodes } = this.parts.provider;
    if (form.get('grant_type') === DEVICE_CODE) return DeviceCodes.find(form.get('device_code') ?? '');
    if (form.get('grant_type') === 'refresh_token') return RefreshTokens.find(form.get('refresh_token') ?? '');
    return Codes.find(form.get('code') ?? '');
  }

  /** The grant is revoked and the answer a refusal, whether or not this can be recorded. */
  async #recordReuse(ctx: KoaContextWithOIDC, source: TokenSource, address: string): Promise<void> {
    try {
      const [resource = ''] = resourcesOf(source);
      const target = await this.parts.access.findTarget(resource);
      if (target === undefined) throw new Error('a token was used again for a resource that is gone');
      const visitor = { accountId: source.accountId, clientId: source.clientId ?? '', address };
      await this.parts.audit.recordVisit(target, visitor, {
        event: 'token.reuse_detected',
        outcome: 'revoked',
        details: { grant: ctx.oidc.params?.['grant_type'] },
      });
    } catch (error) {
      ctx.app.emit('error', error, ctx);
    }
  }

  /** What cannot be recorded is not handed out. */
  async #recordOrWithhold(ctx: KoaContextWithOIDC, source: TokenSource | undefined, address: string): Promise<void> {
    try {
      await this.#recordIssued(ctx, source, address);
    } catch (error) {
      if (error instanceof GrantEnded) return withhold(ctx, 'invalid_grant', BARE_REFUSAL);
      ctx.app.emit('error', error, ctx);
      noteUnavailable(ctx, error);
      ctx.status = 500;
      ctx.body = { error: 'server_error', error_description: 'The token could not be issued. Try again.' };
    }
  }

  async #recordIssued(ctx: KoaContextWithOIDC, source: TokenSource | undefined, address: string): Promise<void> {
    const { ClientCredentials: own } = ctx.oidc.entities;
    if (own !== undefined) return this.#recordMachine(ctx, own, address);
    const { AccessToken: token, Client: client } = ctx.oidc.entities;
    const target = typeof token?.aud === 'string' ? await this.parts.access.findTarget(token.aud) : undefined;
    if (token === undefined || client === undefined || target === undefined) {
      throw new Error('a token was issued for no resource');
    }
    const exchanged = exchangedClaims(ctx);
    // An exchanged token hangs on the grant of the one it was exchanged for, which says itself what it is for.
    if (exchanged === undefined) await this.#noteUse(ctx, { token, client, target, source });
    await this.parts.audit.record(target, {
      event: 'token.issued',
      actor: { kind: 'person', id: token.accountId, client: client.clientId },
      outcome: 'ok',
      details: {
        token: token.jti,
        scope: token.scope,
        grant: ctx.oidc.params?.['grant_type'],
        ...(exchanged === undefined ? {} : { acting: actorsOf(exchanged.act) }),
      },
      sourceAddress: address,
    });
    await this.parts.keepClient(client.clientId);
    const { replacement } = ctx.state;
    if (typeof replacement === 'string') ctx.body = { ...asObject(ctx.body), refresh_token: replacement };
  }

  async #noteUse(ctx: KoaContextWithOIDC, { token, client, target, source }: Issued): Promise<void> {
    const { accountId = '', grantId = '', scope = '' } = token;
    await this.parts.grants.noteUse({
      id: hashId(grantId),
      tenantId: target.tenantId,
      accountId,
      clientId: client.clientId,
      clientName: client.clientName,
      redirectHost: redirectHostOf(source),
      resource: target.url,
      scope,
      livesSeconds:
        TOLERANCE_SECONDS + ('refresh_token' in asObject(ctx.body) ? REFRESH_TOKEN_SECONDS : ACCESS_TOKEN_SECONDS),
    });
  }

  async #recordMachine(ctx: KoaContextWithOIDC, token: ClientCredentials, address: string): Promise<void> {
    const target = typeof token.aud === 'string' ? await this.parts.access.findTarget(token.aud) : undefined;
    const { clientId } = token;
    if (clientId === undefined || target === undefined) throw new Error('a token was issued for no resource');
    await this.parts.audit.record(target, {
      event: 'token.issued',
      actor: { kind: 'client', id: clientId },
      outcome: 'ok',
      details: { token: token.jti, scope: token.scope, grant: ctx.oidc.params?.['grant_type'] },
      sourceAddress: address,
    });
    await this.parts.keepClient(clientId);
  }
}

function refuse(ctx: KoaContextWithOIDC, refusal: Refusal): void {
  ctx.status = refusal.status;
  ctx.set('cache-control', 'no-store');
  ctx.set('access-control-allow-origin', ctx.get('origin') || '*');
  ctx.vary('origin');
  ctx.body = { error: refusal.error, error_description: refusal.description };
}

function asObject(body: unknown): object {
  return typeof body === 'object' && body !== null ? body : {};
}

function withhold(ctx: KoaContextWithOIDC, error: string, description: string): void {
  ctx.status = 400;
  ctx.body = { error, error_description: description };
}

/** Two codes that the provider has no use for: an unusable proof (RFC 9449 §5) and a grant type of other clients. */
function nameError(ctx: KoaContextWithOIDC): void {
  const problem: unknown = ctx.state[PROOF_PROBLEM];
  if (typeof problem === 'string') withhold(ctx, 'invalid_dpop_proof', problem);
  else nameUnauthorized(ctx);
}
