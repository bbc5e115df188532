import { AppError } from '#libs/errors';
import {
  basicScope,
  opens,
  principalBinding,
  tenantOfClient,
  type AccessTokenClaims,
  type Principal,
} from '#libs/identity';
import type { AccessToken, Credential } from '../edge/credential.js';
import type { Possession } from '../possession/possession.js';
import type { RoutedCall } from '../routing/route-table.js';
import type { AccessTokens } from './access-tokens.js';
import type { ApiKeys } from './api-keys.js';
import type { HeldClients } from './held-clients.js';
import type { GrantUses } from './grant-uses.js';
import type { HeldGrants } from './held-grants.js';
import type { FailedAttempts } from './failed-attempts.js';
import type { ServerPeople } from './server-people.js';

const authorized: unique symbol = Symbol('authorized');

/** Third stage: who calls is proved for exactly this URL, and may. Only `Access.authorize` makes one. */
export interface AuthorizedCall extends RoutedCall {
  readonly [authorized]: true;
  readonly principal: Principal;
  /** The principal as stable text. */
  readonly principalBinding: string;
  /** Slugs of the tenant's servers that are closed to the principal. */
  readonly closedServers: ReadonlySet<string>;
}

/** What proofs are checked against. */
export interface AccessParts {
  readonly issuer: string;
  readonly tokens: AccessTokens;
  readonly keys: ApiKeys;
  readonly grants: HeldGrants;
  readonly clients: HeldClients;
  readonly people: ServerPeople;
  readonly possession: Possession;
  readonly attempts: FailedAttempts;
  readonly uses: Pick<GrantUses, 'note'>;
  /** Hears of every call with an API key. */
  readonly onKeyUse: (key: { tenantId: string; keyId: string }, call: RoutedCall) => void;
}

/** Proves principals at tenant URLs. */
export class Access {
  constructor(private readonly parts: AccessParts) {}

  /**
   * Proves who calls, and that they may. `onProved` hears of the principal as soon as it is proved, so that a refusal
   * after that can say whose it is.
   * @throws AppError unauthenticated, insufficient_scope, forbidden, rate_limited
   */
  async authorize(call: RoutedCall, onProved: (principal: Principal) => void): Promise<AuthorizedCall> {
    const principal = await this.#prove(call, 'first');
    onProved(principal);
    const { serverSlug } = call.target;
    if (!opens(principal.scopes, serverSlug)) {
      const scope = basicScope(serverSlug);
      throw new AppError('insufficient_scope', {
        message: `These credentials lack the scope "${scope}".`,
        detail: { rule: `scope:${scope}` },
      });
    }
    const { route, closed } = await this.parts.people.open(call, principal);
    if (principal.kind === 'api-key') this.parts.onKeyUse(principal, call);
    const binding = principalBinding(principal);
    return { ...call, [authorized]: true, route, principal, principalBinding: binding, closedServers: closed };
  }

  /** Whether a call that was authorized would be so now; what cannot be found out counts as yes. Never throws. */
  async stillAllows(call: AuthorizedCall): Promise<boolean> {
    try {
      const principal = await this.#prove(call, 'again');
      const { closed } = await this.parts.people.open(call, principal);
      if (call.route.mounts.some(({ serverSlug }) => closed.has(serverSlug))) return false;
      return opens(principal.scopes, call.target.serverSlug);
    } catch (error) {
      return !(error instanceof AppError && (error.code === 'unauthenticated' || error.code === 'forbidden'));
    }
  }

  /** `again` is for a call that has proved its token's key: its proof is used up and counts on. */
  async #prove(call: RoutedCall, time: 'first' | 'again'): Promise<Principal> {
    const { credential, tenant } = call;
    if (credential.kind === 'none') {
      throw new AppError('unauthenticated', { message: 'Sign in, or send an API key in the Authorization header.' });
    }
    if (credential.kind === 'api-key') return this.#proveKey(credential, call);
    const claims = await this.#proveToken(credential, call, tenant.tenantId);
    if (time === 'first') {
      await this.parts.possession.require(call, claims);
      if (claims.gid !== undefined) this.parts.uses.note(tenant.tenantId, claims.gid);
    }
    return this.#principalOf(claims);
  }

  async #proveToken(token: AccessToken, call: RoutedCall, tenantId: string): Promise<AccessTokenClaims> {
    const { tokens, grants, clients } = this.parts;
    // Not counted: a signature cannot be guessed and costs no lookup, and every token ends by being refused once.
    const claims = tokens.find(token, call.target.audiences) ?? (await tokens.verify(token, call.target.audiences));
    if (claims.tenant !== tenantId) throw invalidCredential();
    if (claims.gid !== undefined && !(await grants.holds(tenantId, claims.gid))) throw invalidCredential();
    const { client_id: clientId } = claims;
    if (tenantOfClient(clientId) !== undefined && !(await clients.holds(tenantId, clientId))) throw invalidCredential();
    return claims;
  }

  #principalOf({ sub, client_id: clientId, tenant: tenantId, scope, act }: AccessTokenClaims): Principal {
    const scopes = scope.split(' ');
    // A client's id is no person's: people's are UUIDs.
    if (sub === clientId && tenantOfClient(clientId) !== undefined)
      return { kind: 'client', tenantId, clientId, scopes };
    const acting = act === undefined ? {} : { act };
    return { kind: 'person', tenantId, subject: sub, issuer: this.parts.issuer, clientId, ...acting, scopes };
  }

  async #proveKey(
    { tenantId: named, hash }: Extract<Credential, { kind: 'api-key' }>,
    call: RoutedCall,
  ): Promise<Principal> {
    const { tenantId } = call.tenant;
    const { keys, attempts } = this.parts;
    const ours = named === tenantId;
    let key = ours ? keys.peek(tenantId, hash) : undefined;
    if (key === undefined) {
      if (!(ours && keys.wasGood(tenantId, hash))) attempts.requireFew(tenantId, call.address);
      key = ours ? await keys.find(tenantId, hash) : undefined;
    }
    if (key === undefined) {
      attempts.add(tenantId, call.address);
      throw invalidCredential();
    }
    return { kind: 'api-key', tenantId, keyId: key.keyId, scopes: key.scopes };
  }
}

function invalidCredential(): AppError {
  return new AppError('unauthenticated', {
    message: 'These credentials are not valid here. Sign in again, or use a key of this tenant.',
  });
}
