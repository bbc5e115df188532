import {
  createRemoteJWKSet,
  customFetch,
  decodeJwt,
  errors,
  jwtVerify,
  type JWTPayload,
  type JWTVerifyGetKey,
} from 'jose';
import { z } from 'zod';
import { OpenIdFailure, type DiscoveredProvider } from '#libs/openid';
import type { ResourceAccess, Target } from '../access/resource-access.js';
import { SUBJECT } from './asserted-person.js';
import type { TenantProvider, TenantProviders } from './tenant-providers.js';

const TYPE = 'oauth-id-jag+jwt';
const LIFETIME_SECONDS = 10 * 60;
const TOLERANCE_SECONDS = 60;
const KEYS_COOLDOWN_MS = 30_000;

const claimsSchema = z.looseObject({
  sub: z.string().regex(SUBJECT),
  aud: z.string(),
  client_id: z.string(),
  jti: z.string().min(1).max(255),
  exp: z.number(),
  iat: z.number(),
  resource: z.string(),
  scope: z.string().optional(),
});

/** The claims of an assertion, all checked but for whom it is about. */
export type AssertionClaims = z.infer<typeof claimsSchema>;

/** An assertion that holds. */
export interface HeldAssertion {
  readonly provider: TenantProvider;
  readonly target: Target;
  readonly claims: AssertionClaims;
  /** How long its `jti` must be remembered. */
  readonly seconds: number;
}

/** Why an assertion is refused: an error of the token endpoint (RFC 6749 §5.2, RFC 7523 §3.1) and its description. */
export class AssertionRefused extends Error {
  override readonly name = 'AssertionRefused';

  constructor(
    readonly error: 'invalid_grant' | 'invalid_target' | 'temporarily_unavailable',
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/**
 * Checks identity assertions (ID-JAG, draft-ietf-oauth-identity-assertion-authz-grant, MCP enterprise-managed
 * authorization) of the provider that the tenant of the named resource has connected; no other tenant's counts.
 */
export class IdentityAssertions {
  readonly #keys = new WeakMap<DiscoveredProvider, JWTVerifyGetKey>();

  constructor(
    private readonly issuer: string,
    private readonly providers: TenantProviders,
    private readonly access: Pick<ResourceAccess, 'findTarget' | 'canonical'>,
  ) {}

  /** @throws AssertionRefused */
  async verify(assertion: string, clientId: string): Promise<HeldAssertion> {
    const unproved = decoded(assertion);
    const target = await this.#targetOf(unproved);
    const provider = await this.providers.findByIssuer(target.tenantId, unproved.iss ?? '');
    if (provider === undefined || !provider.acceptsAssertions) {
      throw new AssertionRefused('invalid_grant', 'No assertions of this issuer are accepted for this resource.');
    }
    const claims = claimsIn(await this.#proved(assertion, provider));
    if (claims.aud !== this.issuer) throw new AssertionRefused('invalid_grant', 'aud is not exactly this issuer.');
    if (claims.client_id !== clientId) {
      throw new AssertionRefused('invalid_grant', 'The assertion was issued to another client.');
    }
    if (claims.exp - claims.iat > LIFETIME_SECONDS) {
      throw new AssertionRefused('invalid_grant', `The assertion lives longer than ${LIFETIME_SECONDS} seconds.`);
    }
    const seconds = Math.ceil(claims.exp - Date.now() / 1_000) + 2 * TOLERANCE_SECONDS;
    return { provider, target, claims, seconds };
  }

  async #targetOf({ resource }: JWTPayload): Promise<Target> {
    const url = typeof resource === 'string' ? (this.access.canonical(resource) ?? resource) : undefined;
    if (url === undefined) throw new AssertionRefused('invalid_grant', 'The assertion names no single resource.');
    const target = await this.access.findTarget(url);
    if (target === undefined || target.suspended !== undefined) {
      throw new AssertionRefused('invalid_target', 'The resource is not a tenant URL of this platform.');
    }
    if (target.scope === 'management') {
      const sentence = 'Assertions are for tenant URLs only. Ask the person to sign in for the management API.';
      throw new AssertionRefused('invalid_target', sentence);
    }
    return target;
  }

  async #proved(assertion: string, provider: TenantProvider): Promise<JWTPayload> {
    try {
      const { payload } = await jwtVerify(assertion, await this.#keysOf(provider), {
        issuer: provider.issuer,
        audience: this.issuer,
        typ: TYPE,
        algorithms: ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA', 'Ed25519'],
        clockTolerance: TOLERANCE_SECONDS,
        maxTokenAge: LIFETIME_SECONDS,
        requiredClaims: ['sub', 'exp', 'iat', 'jti', 'client_id'],
      });
      return payload;
    } catch (error) {
      if (error instanceof OpenIdFailure || error instanceof errors.JWKSTimeout) {
        throw new AssertionRefused('temporarily_unavailable', 'The issuer’s keys cannot be fetched now.', {
          cause: error,
        });
      }
      if (!(error instanceof errors.JOSEError)) throw error;
      throw new AssertionRefused('invalid_grant', `The assertion does not hold: ${error.message}.`, { cause: error });
    }
  }

  /** Fetched when a key is missing, at most every half minute. */
  async #keysOf(provider: TenantProvider): Promise<JWTVerifyGetKey> {
    const opened = await this.providers.open(provider);
    const known = this.#keys.get(opened);
    if (known !== undefined) return known;
    const keys = createRemoteJWKSet(new URL(opened.metadata.jwks_uri), {
      [customFetch]: (url, options) =>
        opened.fetch(url, { ...options, headers: Object.fromEntries(options.headers), body: undefined }),
      cooldownDuration: KEYS_COOLDOWN_MS,
    });
    this.#keys.set(opened, keys);
    return keys;
  }
}

function decoded(assertion: string): JWTPayload {
  try {
    return decodeJwt(assertion);
  } catch (error) {
    throw new AssertionRefused('invalid_grant', 'The assertion is no JWT.', { cause: error });
  }
}

function claimsIn(payload: JWTPayload): AssertionClaims {
  const parsed = claimsSchema.safeParse(payload);
  if (parsed.success) return parsed.data;
  const at = parsed.error.issues[0]?.path.join('.') ?? '';
  throw new AssertionRefused('invalid_grant', `The assertion’s claim ${at} is missing or not what it should be.`);
}
