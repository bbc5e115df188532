import type { KoaContextWithOIDC } from 'oidc-provider';
import { isAuditOutcome, type AuditOutcome } from '#libs/audit';
import type { AccessAudit } from '../../access/access-audit.js';
import type { ResourceAccess } from '../../access/resource-access.js';
import { tokenRule, type OAuthProblem } from '../../connect-attempts/rules-of-errors.js';
import type { AttemptCounter } from '../../limits/attempt-counter.js';
import { ReplayedRequest } from '../../replayed-request.js';
import { PROBLEM, problemOf, WAITING } from '../connect-steps.js';
import { resourcesOf } from './token-source.js';

/** Anybody can be refused as often as they like: of one address, and of all, so many refusals are recorded a minute. */
const OF_ADDRESS_MAX = 20;
const OF_TENANT_MAX = 600;
const WINDOW_SECONDS = 60;

/** What recording refusals rests on. */
export interface TokenRefusalsParts {
  readonly access: ResourceAccess;
  readonly audit: AccessAudit;
  readonly attempts: Pick<AttemptCounter, 'take'>;
}

/** An error that is none of OAuth's own would be the provider's mistake, and is kept as `failed`; the rule says more. */
function outcomeOf({ error }: OAuthProblem): AuditOutcome {
  return isAuditOutcome(error) ? error : 'failed';
}

/** Records tokens that were refused, with the rule that decided, in the log of the tenant whose resource was asked for, or the platform's. */
export class TokenRefusals {
  constructor(private readonly parts: TokenRefusalsParts) {}

  /** The middleware; what cannot be recorded is refused all the same. */
  async handle(ctx: KoaContextWithOIDC, next: () => Promise<unknown>): Promise<void> {
    await next();
    if (ctx.path !== '/token' || ctx.method !== 'POST' || ctx.status === 200) return;
    if (!(ctx.req instanceof ReplayedRequest)) return;
    try {
      await this.#record(ctx, ctx.req);
    } catch (error) {
      ctx.app.emit('error', error, ctx);
    }
  }

  async #record(ctx: KoaContextWithOIDC, { form, address }: ReplayedRequest): Promise<void> {
    const problem: OAuthProblem = ctx.state[PROBLEM] ?? problemOf(ctx.body);
    if (WAITING.has(problem.error)) return;
    const { AuthorizationCode: code, RefreshToken: refresh, DeviceCode: device } = ctx.oidc?.entities ?? {};
    const source = code ?? refresh ?? device;
    const resource = form.get('resource') ?? (source && resourcesOf(source)[0]);
    const target = resource == null ? undefined : await this.parts.access.findTarget(resource);
    const grant = (form.get('grant_type') ?? '').slice(0, 64);
    if (target === undefined) return this.parts.audit.noteUnplaced(`token.${tokenRule(problem, grant)}`, address);
    if (!(await this.#isWithinBounds(target.tenantId, address))) return;
    const clientId = (ctx.oidc?.client?.clientId ?? form.get('client_id') ?? '').slice(0, 256);
    await this.parts.audit.recordVisit(
      target,
      { accountId: source?.accountId, clientId, address },
      { event: 'token.refused', outcome: outcomeOf(problem), details: { grant, rule: tokenRule(problem, grant) } },
    );
  }

  /** What one address has used up does not count for the others. */
  async #isWithinBounds(tenantId: string, address: string): Promise<boolean> {
    const { attempts } = this.parts;
    const ofAddress = { key: `token-refused|${tenantId}|${address}`, max: OF_ADDRESS_MAX };
    if ((await attempts.take({ ...ofAddress, windowSeconds: WINDOW_SECONDS })) > 0) return false;
    const ofTenant = { key: `token-refused|${tenantId}`, max: OF_TENANT_MAX };
    return (await attempts.take({ ...ofTenant, windowSeconds: WINDOW_SECONDS })) === 0;
  }
}
