import { randomBytes } from 'node:crypto';
import type { JWK } from 'jose';
import { type Configuration, type KoaContextWithOIDC } from 'oidc-provider';
import type { Secret } from '#libs/config';
import type { ConnectRecorder } from '#libs/connect-attempts';
import type { Database } from '#libs/database';
import { deriveKeys } from '#libs/secrets';
import type { ResourceAccess } from '../access/resource-access.js';
import type { Accounts } from '../accounts/accounts.js';
import { CLIENT_ALGORITHMS, CLIENT_OFFER, clientFeatures } from './clients/client-features.js';
import { ClientKeySets } from './client-proofs/client-key-sets.js';
import { ClientStore } from './clients/client-store.js';
import { TenantClients } from './clients/tenant-clients.js';
import { DEVICE_CODE_SECONDS, DEVICE_ROUTES, deviceFlow } from '../device/device-flow.js';
import type { Standing } from '../federation/standing.js';
import type { Grants } from '../grants/grants.js';
import { IssuedTokenStore } from './issued-tokens/issued-token-store.js';
import type { Allowance, AttemptCounter } from '../limits/attempt-counter.js';
import { ReplayedRequest } from '../replayed-request.js';
import type { ClientDocuments } from './registration/client-documents.js';
import type { Consents } from './consents/consents.js';
import type { ToldGrants } from './consents/told-grants.js';
import { GrantStore } from './models/grant-store.js';
import type { IdentityAssertionParts } from './identity-assertion-grant.js';
import { DeviceCodeStore } from './models/device-code-store.js';
import { InteractionStore } from './models/interaction-store.js';
import { PresentedStore } from './artifacts/presented-store.js';
import { RefreshTokenStore } from './models/refresh-token-store.js';
import type { RowSeals } from './artifacts/row-seals.js';
import { refusalOf, type ShownRefusal } from '../refusals/shown-refusal.js';
import { SessionStore } from './models/session-store.js';
import { resourceIndicators, resourceRules } from './resources/resource-rules.js';

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** How long a browser stays signed in. */
export const SESSION_SECONDS = 12 * HOUR;
/** How long an agent may go without a new token before its refresh token ends. */
export const REFRESH_TOKEN_SECONDS = 14 * DAY;

/** What the provider is built from. */
export interface ProviderParts {
  readonly issuer: URL;
  /** Where the management API is, which explains errors. */
  readonly publicUrl: string;
  readonly database: Database;
  readonly masterKey: Secret;
  readonly seals: RowSeals;
  readonly signingKeys: readonly JWK[];
  readonly access: ResourceAccess;
  readonly accounts: Accounts;
  readonly consents: Consents;
  readonly toldGrants: ToldGrants;
  readonly grants: Grants;
  readonly attempts: AttemptCounter;
  readonly documents: Pick<ClientDocuments, 'fetch' | 'fetchKeySet'>;
  readonly recorder: Pick<ConnectRecorder, 'note'>;
  readonly registrationsPerHour: number;
  /** Tenants' own OpenID providers, whose assertions agents may bring. */
  readonly federation: Omit<IdentityAssertionParts, 'access'>;
  /** Whether people of tenants' providers are still what they were. */
  readonly standing: Pick<Standing, 'check'>;
  /** Answers a browser with a page about an error. */
  readonly renderError: (ctx: KoaContextWithOIDC, refusal: ShownRefusal) => void;
}

/** The limit that registrations and first fetches of client documents share. */
export function registrationsOf(address: string, max: number): Allowance {
  return { key: `registration|${address}`, max, windowSeconds: HOUR };
}

/** The provider's configuration; what is not switched on here is not offered. */
export function providerConfiguration(parts: ProviderParts): Configuration {
  const { database, masterKey, seals } = parts;
  const tenantClients = new TenantClients(database, new ClientKeySets(parts.documents));
  const refreshTokens = new RefreshTokenStore('RefreshToken', database, seals);
  return {
    adapter: (model) => {
      if (model === 'RefreshToken') return refreshTokens;
      if (model === 'Grant') return new GrantStore(database, masterKey, parts.grants);
      if (model === 'DeviceCode') return new DeviceCodeStore(model, database, seals);
      if (model === 'Interaction') return new InteractionStore(model, database, seals);
      if (model === 'Session') return new SessionStore(model, database, seals);
      if (model === 'Client') return new ClientStore(database, masterKey, tenantClients);
      if (model === 'AccessToken' || model === 'ClientCredentials') {
        return new IssuedTokenStore(model, { ...parts, tenantClients });
      }
      return new PresentedStore(model, database, seals);
    },
    jwks: { keys: [...parts.signingKeys] },
    cookies: cookiesFor(parts),
    ttl: {
      AccessToken: 10 * MINUTE,
      ClientCredentials: 10 * MINUTE,
      AuthorizationCode: MINUTE,
      IdToken: 10 * MINUTE,
      RefreshToken: REFRESH_TOKEN_SECONDS,
      DeviceCode: DEVICE_CODE_SECONDS,
      Interaction: 15 * MINUTE,
      Session: SESSION_SECONDS,
      Grant: 180 * DAY,
    },
    features: featuresFor(parts),
    ...resourceRules(parts, refreshTokens),
    ...OFFER,
    interactions: {
      url: (_ctx, interaction) => `${parts.issuer.pathname.replace(/\/$/, '')}/interaction/${interaction.uid}`,
    },
    fetch: (url) => parts.documents.fetch(String(url)),
    renderError: (ctx, out) => parts.renderError(ctx, refusalOf(ctx, out)),
  };
}

const OFFER: Configuration = {
  ...CLIENT_OFFER,
  scopes: ['openid', 'offline_access'],
  responseTypes: ['code'],
  enabledJWA: { idTokenSigningAlgValues: ['ES256'], ...CLIENT_ALGORITHMS },
  clientDefaults: { id_token_signed_response_alg: 'ES256' },
  pkce: { required: () => true },
  // Browser-based clients read the token endpoint's answers; no cookie counts there.
  clientBasedCORS: () => true,
  routes: {
    authorization: '/authorize',
    token: '/token',
    jwks: '/jwks',
    registration: '/register',
    revocation: '/revoke',
    introspection: '/introspect',
    pushed_authorization_request: '/par',
    end_session: '/session/end',
    ...DEVICE_ROUTES,
  },
};

function featuresFor(parts: ProviderParts): NonNullable<Configuration['features']> {
  return {
    devInteractions: { enabled: false },
    userinfo: { enabled: false },
    rpInitiatedLogout: { enabled: false },
    ...clientFeatures(parts.masterKey),
    deviceFlow: deviceFlow(),
    resourceIndicators: resourceIndicators(parts.access),
    registration: {
      enabled: true,
      idFactory: () => `client_${randomBytes(16).toString('base64url')}`,
      secretFactory: () => randomBytes(32).toString('base64url'),
      issueRegistrationAccessToken: false,
    },
    clientIdMetadataDocument: {
      enabled: true,
      ack: 'draft-02',
      cacheDuration: { min: 5 * MINUTE, max: DAY },
      allowFetch: async (ctx) => {
        // Our pages look clients up outside a request of the provider's; then there is no context.
        const request: unknown = (ctx as KoaContextWithOIDC | undefined)?.req;
        const address = request instanceof ReplayedRequest ? request.address : 'unknown';
        return (await parts.attempts.take(registrationsOf(address, parts.registrationsPerHour))) === 0;
      },
    },
  };
}

/** Cookies by the issuer's own scheme; on https the session cookie is bound to this very host (`__Host-`). */
function cookiesFor({ issuer, masterKey }: ProviderParts): NonNullable<Configuration['cookies']> {
  const secure = issuer.protocol === 'https:';
  const prefix = secure ? '__Secure-' : '';
  const options = sessionCookieOptions(issuer);
  return {
    names: {
      session: secure ? '__Host-wharf_session' : 'wharf_session',
      interaction: `${prefix}wharf_interaction`,
      resume: `${prefix}wharf_resume`,
    },
    long: options,
    short: options,
    keys: deriveKeys(masterKey, 'cookie-signatures').map((key) => key.toString('base64url')),
  };
}

/** How the cookies of sessions and interactions are set. */
export function sessionCookieOptions({ protocol }: URL) {
  return { httpOnly: true, sameSite: 'lax', signed: true, secure: protocol === 'https:' } as const;
}
