import type { EventEmitter } from 'node:events';
import type { RequestListener } from 'node:http';
import Provider, { type KoaContextWithOIDC } from 'oidc-provider';
import type { Logger } from '#libs/telemetry';
import type { AccessAudit } from '../access/access-audit.js';
import { ClientAuthentication } from './client-proofs/client-authentication.js';
import { compareHashes } from './client-proofs/hashed-secrets.js';
import { claimOnce } from './client-proofs/replay-claims.js';
import { noteClientUse } from './clients/tenant-clients.js';
import { AccessTokenVerifier } from '#libs/identity';
import { guardDeviceCodes } from '../device/device-gate.js';
import { DEVICE_ROUTES } from '../device/device-flow.js';
import { offerTokenExchange } from '../exchange/token-exchange.js';
import { answerUnknownPath, noteUnavailable, sayingWhatIsAway } from '../refusals/failed-requests.js';
import { KnownRedirects } from '../refusals/known-redirects.js';
import { ReplayedRequest } from '../replayed-request.js';
import { guardRefusedAuthorizations } from '../refusals/refused-authorizations.js';
import { keepClient } from './artifacts/artifact-store.js';
import { BrowserSessions } from './browsers/browser-sessions.js';
import { providerConfiguration, type ProviderParts } from './configuration.js';
import { ConnectSteps } from './connect-steps.js';
import { ID_JAG_PROFILE, registerIdentityAssertions } from './identity-assertion-grant.js';
import { EndedInteractions } from './browsers/ended-interactions.js';
import { InteractionDoor } from './browsers/interaction-door.js';
import { sayWhatNext } from './token-endpoint/next-steps.js';
import { answerInRedirects, RESPONSE_MODES } from './response-modes.js';
import { TokenGate } from './token-endpoint/token-gate.js';
import { TokenRefusals } from './token-endpoint/token-refusals.js';

/** A client that got a token is kept this long; every further token begins the time anew. */
const USED_CLIENT_SECONDS = 180 * 24 * 60 * 60;
/** Endpoints that programs ask and whose errors their makers read. */
const SAYS_WHAT_NEXT: ReadonlySet<string> = new Set([
  '/token',
  '/par',
  '/introspect',
  '/revoke',
  DEVICE_ROUTES.device_authorization,
]);
/** What the metadata says beside what the provider does. */
const OFFERED = {
  scopes_supported: ['mcp', 'mcp:read', 'management', 'openid', 'offline_access'],
  response_modes_supported: RESPONSE_MODES,
  authorization_grant_profiles_supported: [ID_JAG_PROFILE],
};

/** The authorization server's protocol half: the OAuth endpoints, and the door for our pages. */
export interface AuthorizationProvider {
  /** Answers paths below the issuer's. */
  readonly listener: RequestListener;
  readonly door: InteractionDoor;
  readonly sessions: BrowserSessions;
}

/** Builds the provider with our rules around it. */
export function createProvider(parts: ProviderParts, audit: AccessAudit, logger: Logger): AuthorizationProvider {
  const provider = new Provider(parts.issuer.href.replace(/\/$/, ''), providerConfiguration(parts));
  // Replayed requests say scheme and address as configuration does; nothing else reaches the provider.
  provider.proxy = true;
  const steps = new ConnectSteps({ provider, access: parts.access, recorder: parts.recorder });
  provider.use((ctx, next) => steps.handle(ctx as KoaContextWithOIDC, next)); // as below
  compareHashes(provider);
  claimOnce(provider, parts.database);
  const authentication = new ClientAuthentication(parts.attempts, parts.issuer);
  const { access, grants, signingKeys, toldGrants } = parts;
  const holdsClient = async (id: string): Promise<boolean> => (await provider.Client.find(id)) !== undefined;
  const verifier = new AccessTokenVerifier({ issuer: provider.issuer, keys: signingKeys });
  offerTokenExchange(provider, { access, grants, toldGrants, verifier, holdsClient });
  registerIdentityAssertions(provider, { ...parts.federation, access });
  const gate = new TokenGate({
    provider,
    access: parts.access,
    audit,
    grants: parts.grants,
    attempts: parts.attempts,
    standing: parts.standing,
    async keepClient(clientId) {
      await keepClient(parts.database, clientId, USED_CLIENT_SECONDS);
      await noteClientUse(parts.database, clientId);
    },
  });
  const ended = new EndedInteractions(provider, parts.database, parts.seals);
  const refusals = new TokenRefusals({ access: parts.access, audit, attempts: parts.attempts });
  provider.use(async (ctx, next) => {
    // The provider puts `oidc` on the context before any of its routes answers.
    const context = ctx as KoaContextWithOIDC;
    await sayingWhatIsAway(context, () =>
      guardDeviceCodes(parts.attempts, context, () =>
        refusals.handle(context, () => authentication.handle(context, () => gate.handle(context, next))),
      ),
    );
    await ended.note(context);
    answerUnknownPath(context, parts.publicUrl);
    if (ctx.method === 'POST' && SAYS_WHAT_NEXT.has(ctx.path)) sayWhatNext(context);
    if (context.oidc?.route === 'discovery') Object.assign(ctx.body ?? {}, OFFERED);
  });
  answerInRedirects(provider);
  guardRefusedAuthorizations(provider, new KnownRedirects(parts.issuer, parts.masterKey));
  countStrangers(provider, audit);
  logFailures(provider, logger);
  return {
    listener: provider.callback(),
    door: new InteractionDoor(provider, { consents: parts.consents, toldGrants: parts.toldGrants, ended }),
    sessions: new BrowserSessions(provider, parts.issuer),
  };
}

/** Logs what the provider cannot answer, keeps in mind what will pass, and logs grants that it revokes. */
function logFailures(provider: Provider, logger: Logger): void {
  const failed = (error: unknown): void => logger.error({ err: error }, 'the provider failed');
  provider.on('server_error', (ctx, error) => {
    noteUnavailable(ctx, error);
    failed(error);
  });
  // The provider is a Koa application too, whose own event its declarations leave out.
  (provider as EventEmitter).on('error', failed);
  provider.on('grant.revoked', (ctx, grantId) =>
    logger.warn({ grant: grantId, client: ctx.oidc.client?.clientId }, 'a grant was revoked'),
  );
}

/** A client that nobody registered belongs to no tenant. */
function countStrangers(provider: Provider, audit: AccessAudit): void {
  provider.on('authorization.error', (ctx, error) => {
    if (ctx.oidc?.client === undefined && ctx.req instanceof ReplayedRequest)
      audit.noteUnplaced(`authorize.${error.message}`, ctx.req.address);
  });
}
