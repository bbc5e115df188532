import type { IncomingMessage, ServerResponse } from 'node:http';
import { decodeJwt } from 'jose';
import { AppError } from '#libs/errors';
import { errorDocs, securityHeaders, sendJson, sendProblem } from '#libs/http';
import type { AccessTokenVerifier } from '#libs/identity';
import type { ResourceAccess } from '../access/resource-access.js';
import type { Allowance, AttemptCounter } from '../limits/attempt-counter.js';
import type { Holder } from './held-grant.js';
import { agentQueryOf, type HeldAgent } from './held-agents.js';
import type { OwnGrants } from './own-grants.js';

/** Credentials that one address may try in vain in a minute. */
const REFUSED_MAX = 60;
const BEARER = /^Bearer +([\w-]+\.[\w-]+\.[\w-]+) *$/i;

/**
 * `GET /v1/me/grants` and `DELETE /v1/me/grants/{id}`: what agents hold for the person whose access token
 * this is. A token is for one tenant, so it shows and ends what is held at that tenant only.
 */
export class GrantsApi {
  constructor(
    private readonly own: OwnGrants,
    private readonly access: ResourceAccess,
    private readonly verifier: Pick<AccessTokenVerifier, 'verify'>,
    private readonly attempts: Pick<AttemptCounter, 'take' | 'wait'>,
    private readonly publicUrl: string,
  ) {}

  /** Answers one request; `id` is what stands behind `/v1/me/grants/`. */
  async handle(
    request: IncomingMessage,
    response: ServerResponse,
    id: string | undefined,
    address: string,
  ): Promise<void> {
    const refusals: Allowance = { key: `own-grants|${address}`, max: REFUSED_MAX, windowSeconds: 60 };
    const retryAfterSeconds = await this.attempts.wait(refusals);
    if (retryAfterSeconds > 0) {
      const limit = { name: 'refused_tokens', quota: refusals.max, windowSeconds: refusals.windowSeconds };
      throw new AppError('rate_limited', { retryAfterSeconds, limit });
    }
    try {
      const holder = await this.#holderOf(request);
      const method = id === undefined ? 'GET' : 'DELETE';
      if (request.method !== method) {
        response.setHeader('allow', method);
        throw new AppError('method_not_allowed');
      }
      if (id === undefined) {
        const { searchParams } = new URL(request.url ?? '', 'http://localhost');
        const { agents, next } = await this.own.list(holder, agentQueryOf(searchParams));
        return sendJson(response, 200, { grants: agents.map(shown), next_cursor: next });
      }
      if (!(await this.own.revoke(holder, id, address))) throw new AppError('not_found');
      securityHeaders(response);
      response.writeHead(204, { 'cache-control': 'no-store' }).end();
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'unauthenticated') throw error;
      await this.attempts.take(refusals);
      const challenge = await this.#challengeFor(tokenIn(request));
      sendProblem(response, error, { 'www-authenticate': challenge }, errorDocs(this.publicUrl, error.code));
    }
  }

  /** Which metadata to read is known where what was sent names a tenant of ours, proved or not. */
  async #challengeFor(token: string | undefined): Promise<string> {
    const tenant = token === undefined ? undefined : await this.access.findTarget(audienceOf(token));
    const metadata = tenant === undefined ? undefined : this.access.managementMetadataOf(tenant.tenantSlug);
    return [
      'Bearer scope="management"',
      ...(metadata === undefined ? [] : [`resource_metadata="${metadata}"`]),
      ...(token === undefined ? [] : ['error="invalid_token"']),
    ].join(', ');
  }

  async #holderOf(request: IncomingMessage): Promise<Holder> {
    const token = tokenIn(request);
    const target = token === undefined ? undefined : await this.access.findTarget(audienceOf(token));
    if (token === undefined || target?.scope !== 'management') throw unauthenticated();
    const claims = await this.verifier.verify(token, target.url);
    const holder = { accountId: claims.sub, tenantId: claims.tenant };
    if (claims.tenant !== target.tenantId || claims.gid === undefined) throw unauthenticated();
    if (!(await this.own.holds(holder, claims.gid))) throw unauthenticated();
    if (!claims.scope.split(' ').includes(target.scope)) throw new AppError('insufficient_scope');
    if (!(await this.access.allows(claims.sub, target))) throw new AppError('forbidden');
    return holder;
  }
}

function tokenIn(request: IncomingMessage): string | undefined {
  return BEARER.exec(request.headers.authorization ?? '')?.[1];
}

/** What a token says it is for, before anything of it is proved. */
function audienceOf(token: string): string {
  try {
    const { aud } = decodeJwt(token);
    return typeof aud === 'string' ? aud : '';
  } catch {
    return '';
  }
}

function unauthenticated(): AppError {
  return new AppError('unauthenticated', {
    message:
      'Send a person’s access token for a tenant’s management API: ask for one with `resource={public URL}/v1/tenants/{slug}` and `scope=management`.',
  });
}

function shown(grant: HeldAgent): object {
  return {
    id: grant.id,
    client: { id: grant.clientId, name: grant.clientName, redirect_host: grant.redirectHost },
    resource: grant.resource,
    scope: grant.scope,
    sign_ins: grant.signIns,
    created_at: grant.createdAt.toISOString(),
    last_used_at: grant.lastUsedAt.toISOString(),
  };
}
