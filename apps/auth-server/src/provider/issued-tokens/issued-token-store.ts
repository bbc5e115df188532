import { createLocalJWKSet, jwtVerify, type JWK, type JWTVerifyGetKey } from 'jose';
import type { Adapter, AdapterPayload } from 'oidc-provider';
import { z } from 'zod';
import type { Database } from '#libs/database';
import type { Grants } from '../../grants/grants.js';
import type { TenantClients } from '../clients/tenant-clients.js';
import { tenantOfClient } from '#libs/identity';

/** Before a JWT where the provider is to look it up like a token of which it keeps a record. */
const HANDLE = 'jwt~';

const claimsSchema = z.object({
  aud: z.string(),
  sub: z.string(),
  client_id: z.string(),
  tenant: z.uuid(),
  iat: z.number(),
  exp: z.number(),
  scope: z.string().optional(),
  gid: z.string().optional(),
  cnf: z.object({ jkt: z.string() }).optional(),
  act: z.looseObject({}).optional(),
});
type Claims = z.infer<typeof claimsSchema>;

/** What issued tokens are judged by. */
export interface IssuedTokenParts {
  readonly issuer: URL;
  readonly signingKeys: readonly JWK[];
  readonly database: Database;
  readonly grants: Pick<Grants, 'endAll'>;
  readonly tenantClients: TenantClients;
}

/**
 * The access tokens that were issued, of which nothing is stored: a JWT is its own record, for as long as its grant is
 * held and its client is there. `AccessToken` finds those of people, `ClientCredentials` those of machine clients.
 */
export class IssuedTokenStore implements Adapter {
  readonly #keys: JWTVerifyGetKey;

  constructor(
    private readonly model: 'AccessToken' | 'ClientCredentials',
    private readonly parts: IssuedTokenParts,
  ) {
    this.#keys = createLocalJWKSet({ keys: parts.signingKeys.map(({ d: _private, ...key }) => key) });
  }

  async find(id: string): Promise<AdapterPayload | undefined> {
    const claims = await this.#claimsOf(id);
    if (claims === undefined || !(await this.#holds(claims))) return undefined;
    const { client_id: clientId, sub, cnf, act, aud, scope, iat, exp, tenant } = claims;
    const machine = this.model === 'ClientCredentials';
    return {
      kind: this.model,
      jti: id,
      clientId,
      ...(machine ? {} : { accountId: sub }),
      ...(cnf === undefined ? {} : { jkt: cnf.jkt }),
      ...(scope === undefined ? {} : { scope }),
      aud,
      iat,
      exp,
      extra: { tenant, ...(machine ? { sub } : {}), ...(act === undefined ? {} : { act }) },
    };
  }

  /** Revoking an access token ends the grant that it hangs on. */
  async destroy(id: string): Promise<void> {
    const claims = await this.#claimsOf(id);
    if (claims?.gid === undefined) return;
    await this.parts.grants.endAll(claims.tenant, claims.gid);
  }

  /** A JWT is handed out without a record of it. */
  async upsert(): Promise<void> {
    throw new Error('access tokens are JWTs');
  }

  async findByUid(): Promise<undefined> {
    return undefined;
  }

  async findByUserCode(): Promise<undefined> {
    return undefined;
  }

  async consume(): Promise<void> {}

  /** They end with the grant itself. */
  async revokeByGrantId(): Promise<void> {}

  async #claimsOf(id: string): Promise<Claims | undefined> {
    if (!id.startsWith(HANDLE)) return undefined;
    try {
      const { payload } = await jwtVerify(id.slice(HANDLE.length), this.#keys, {
        issuer: this.parts.issuer.href.replace(/\/$/, ''),
        algorithms: ['ES256'],
        typ: 'at+jwt',
      });
      const claims = claimsSchema.parse(payload);
      return (claims.sub === claims.client_id) === (this.model === 'ClientCredentials') ? claims : undefined;
    } catch {
      // Not ours or no longer good: such a token is not there.
      return undefined;
    }
  }

  async #holds({ client_id: clientId, tenant, gid }: Claims): Promise<boolean> {
    if (tenantOfClient(clientId) !== undefined && !(await this.parts.tenantClients.holds(clientId))) {
      return false;
    }
    if (gid === undefined) return this.model === 'ClientCredentials';
    const rows: unknown[] = await this.parts.database.asTenant(tenant, (tx) =>
      tx.query(`select 1 from grants where tenant_id = $1 and id = $2 and revoked_at is null`, [tenant, gid]),
    );
    return rows.length > 0;
  }
}

/**
 * A form with its `token` such that the provider looks it up instead of refusing a JWT. At the revocation endpoint a
 * machine's token and an exchanged one are left as they are, and refused (RFC 7009 §2.2.1): there is nothing that could
 * be ended but the client of the one, and what the other was exchanged for.
 */
export function withFindableToken(form: URLSearchParams, endpoint: '/introspect' | '/revoke'): URLSearchParams {
  const [token, ...more] = form.getAll('token');
  if (token === undefined || more.length > 0 || !isJwt(token, endpoint)) return form;
  const findable = new URLSearchParams(form);
  findable.set('token', `${HANDLE}${token}`);
  return findable;
}

function isJwt(token: string, endpoint: '/introspect' | '/revoke'): boolean {
  const payload = /^[\w-]+\.([\w-]+)\.[\w-]+$/.exec(token)?.[1];
  if (payload === undefined) return false;
  if (endpoint === '/introspect') return true;
  const claims = Buffer.from(payload, 'base64url');
  return claims.includes('"gid"') && !claims.includes('"act"');
}
