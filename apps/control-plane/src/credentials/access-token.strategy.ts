import { KeyObject } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import { decodeJwt, decodeProtectedHeader, errors } from 'jose';
import { Strategy } from 'passport-jwt';
import { z } from 'zod';
import { regionOf } from '#libs/config';
import type { Database } from '#libs/database';
import { AppError } from '#libs/errors';
import { elsewhere, RemoteKeys, resourceUrl } from '#libs/identity';
import type { TenantCaller } from '../access/caller.js';
import { HELD } from '../access/permissions.js';
import type { ControlPlaneConfig } from '../config.js';
import type { ManagedRequest } from '../edge/managed-request.js';
import { CONFIG, TENANT_DATABASE } from '../platform/tokens.js';
import { ACCESS_TOKEN, credentialOf } from './credential.js';
import { CredentialsRepository, type MembershipRow } from './credentials.repository.js';
import { suspended } from './suspension.js';

const ALGORITHM = 'ES256';
/** Who may know why a tenant is suspended. */
const MANAGING: ReadonlySet<string> = new Set(['owner', 'admin']);
const TOKEN_SHAPE = /^[\w-]+\.[\w-]+\.[\w-]+$/;

const claimsSchema = z.object({
  sub: z.uuid(),
  aud: z.string(),
  exp: z.number(),
  client_id: z.string(),
  tenant: z.uuid(),
  scope: z.string().default(''),
  jti: z.string(),
  gid: z.string().optional(),
  /** A token that is bound to a key is worth nothing here: this API asks for no proof of it. */
  cnf: z.undefined().optional(),
});
type Claims = z.infer<typeof claimsSchema>;

type KeyFound = (error: unknown, key?: string | Buffer) => void;

/** Finds the signing key of a token in the issuer's key set; only `kid` is believed, and only of an ES256 `at+jwt`. */
function keyProvider(jwksUrl: string): (request: ManagedRequest, token: string, found: KeyFound) => void {
  const keys = new RemoteKeys(jwksUrl);
  const keyOf = async (token: string): Promise<string | Buffer> => {
    const header = decodeProtectedHeader(token);
    if (header.alg !== ALGORITHM || header.typ !== 'at+jwt') throw new AppError('unauthenticated');
    const { kid } = header;
    const key = await keys.find({ alg: ALGORITHM, ...(kid === undefined ? {} : { kid }) }).catch(refuseUnknownKey);
    return KeyObject.from(key).export({ type: 'spki', format: 'pem' });
  };
  return (request, token, found) => {
    noteClaim(request, token);
    keyOf(token).then(
      (key) => found(null, key),
      (error: unknown) => found(error),
    );
  };
}

/** The tenant that a token names, before anything of it is proved. */
function noteClaim(request: ManagedRequest, token: string): void {
  const { success, data } = z.object({ tenant: z.uuid() }).safeParse(payloadOf(token));
  if (success) request.claim = { tenantId: data.tenant, actor: { kind: 'anonymous' } };
}

function payloadOf(token: string): unknown {
  try {
    return decodeJwt(token);
  } catch {
    return undefined;
  }
}

/** A key that is not in the set is the token's fault; a set that cannot be fetched is ours. */
function refuseUnknownKey(error: unknown): never {
  if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys) {
    throw new AppError('unauthenticated', { cause: error });
  }
  throw new AppError('unavailable', { cause: error, retryAfterSeconds: 5 });
}

/**
 * Lets in a member with an access token for exactly this tenant's management API (RFC 9068 §4, RFC 8725). The role is
 * looked up with every request, so that a removed member's token is worth nothing at once.
 */
@Injectable()
export class AccessTokenStrategy extends PassportStrategy(Strategy, ACCESS_TOKEN) {
  constructor(
    @Inject(CONFIG) private readonly config: ControlPlaneConfig,
    @Inject(TENANT_DATABASE) private readonly database: Database,
    @Inject(CredentialsRepository) private readonly credentials: CredentialsRepository,
  ) {
    super({
      jwtFromRequest: tokenOf,
      secretOrKeyProvider: keyProvider(config.jwksUrl),
      algorithms: [ALGORITHM],
      issuer: config.issuer,
      jsonWebTokenOptions: { clockTolerance: 5 },
      passReqToCallback: true,
    });
  }

  async validate(request: ManagedRequest, payload: unknown): Promise<TenantCaller | false> {
    const parsed = claimsSchema.safeParse(payload);
    if (!parsed.success) return false;
    const claims = parsed.data;
    request.claim = {
      tenantId: claims.tenant,
      actor: { kind: 'person', id: claims.sub, client: claims.client_id },
    };
    const membership = await this.database.asTenant(claims.tenant, async (tx) => {
      const found = await this.credentials.findMembership(tx, claims.tenant, claims.sub, claims.gid);
      if (found === undefined || !this.#isFor(claims, found.slug)) return undefined;
      if (claims.gid !== undefined) await this.credentials.noteGrantUse(tx, claims.tenant, claims.gid);
      return found;
    });
    return membership !== undefined && this.#callerOf(request, claims, membership);
  }

  #isFor(claims: Claims, tenantSlug: string): boolean {
    const scheme = { publicUrl: this.config.WHARF_PUBLIC_URL };
    return claims.aud === resourceUrl(scheme, { kind: 'management', tenantSlug });
  }

  #callerOf(request: ManagedRequest, claims: Claims, membership: MembershipRow): TenantCaller {
    const scopes = claims.scope.split(' ').filter((scope) => scope !== '');
    if (membership.role === null) throw new AppError('forbidden');
    const refused = elsewhere(membership.home_region, regionOf(this.config));
    if (refused !== undefined) throw refused;
    if (membership.status !== 'active' && membership.deletion_due_at === null)
      throw suspended(membership.status_reason, MANAGING.has(membership.role) ? 'manages it' : 'does not');
    if (!scopes.includes('management')) throw new AppError('insufficient_scope');
    return {
      kind: 'tenant',
      tenantId: claims.tenant,
      tenantSlug: membership.slug,
      principal: {
        kind: 'person',
        tenantId: claims.tenant,
        subject: claims.sub,
        issuer: this.config.issuer,
        clientId: claims.client_id,
        scopes,
      },
      permissions: HELD[membership.role],
      ...(membership.deletion_due_at === null ? {} : { deletionDueAt: membership.deletion_due_at }),
      origin: request.origin,
    };
  }
}

function tokenOf(request: Parameters<typeof credentialOf>[0]): string | null {
  const text = credentialOf(request);
  return text !== undefined && TOKEN_SHAPE.test(text) ? text : null;
}
