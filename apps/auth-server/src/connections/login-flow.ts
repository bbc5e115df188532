import { isDeepStrictEqual } from 'node:util';
import { authorizationCodeGrant, buildAuthorizationUrl, calculatePKCECodeChallenge } from 'openid-client';
import {
  configurationOf,
  connectorMark,
  findConnection,
  findConnector,
  grantedBy,
  openClient,
  redirectUri,
  upstreamNeeds,
  type Granted,
  type UpstreamClient,
} from '#libs/connections';
import type { Database } from '#libs/database';
import { AppError } from '#libs/errors';
import type { OpenIdFetch } from '#libs/openid';
import type { TenantVault } from '#libs/secrets';
import { hashOfBrowser, randomText } from '../federated-sign-in/attempts.js';
import type { SignedIn } from '../provider/browsers/browser-sessions.js';
import type { LoginAttempt, LoginAttempts } from './login-attempts.js';
import type { OwnConnection } from './own-connections.js';

const OFFLINE = 'offline_access';

/** The code flow at an upstream (OAuth 2.1): PKCE, `state` that counts once, `iss` where the upstream gives it, `resource`. */
export class LoginFlow {
  constructor(
    private readonly parts: {
      readonly issuer: URL;
      readonly database: Database;
      readonly vault: TenantVault;
      readonly attempts: LoginAttempts;
      readonly http: OpenIdFetch;
    },
  ) {}

  /** The upstream's URL for one attempt of one person in one browser. @throws AppError not_found */
  async begin(own: OwnConnection, who: SignedIn, browser: string): Promise<string> {
    const { tenantId, connector: name } = own;
    const { client, connector, mark, configuration, wanted } = await this.#open({ tenantId, name, ...who });
    if (!isDeepStrictEqual([own.issuer, own.origins], [connector.issuer, connector.origins])) throw changed();
    const scopes = [...new Set([...client.scopes, ...wanted])];
    const verifier = randomText();
    const state = await this.parts.attempts.begin({
      tenantId: own.tenantId,
      tenantSlug: own.tenantSlug,
      connectorId: connector.id,
      connector: own.connector,
      accountId: who.accountId,
      sessionUid: who.uid,
      browser: hashOfBrowser(browser),
      issuer: client.issuer,
      origins: [...connector.origins],
      scopes,
      mark,
      verifier,
    });
    return buildAuthorizationUrl(configuration, {
      redirect_uri: redirectUri(this.parts.issuer.href, own),
      state,
      code_challenge: await calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      ...(scopes.length === 0 ? {} : { scope: scopes.join(' ') }),
      ...(scopes.includes(OFFLINE) ? { prompt: 'consent' } : {}),
      ...(client.resource === undefined ? {} : { resource: client.resource }),
    }).href;
  }

  /**
   * Exchanges what the upstream sent back.
   * @throws Error of the library when the answer is not the one that was waited for, or OpenIdFailure
   */
  async finish(attempt: LoginAttempt, query: URLSearchParams): Promise<Granted> {
    const { client, mark, configuration } = await this.#open({ ...attempt, name: attempt.connector });
    if (mark !== attempt.mark) throw changed();
    const url = new URL(`${redirectUri(this.parts.issuer.href, attempt)}?${query}`);
    const checks = { pkceCodeVerifier: attempt.verifier, expectedState: query.get('state') ?? '' };
    const resource = client.resource === undefined ? undefined : { resource: client.resource };
    const tokens = await authorizationCodeGrant(configuration, url, checks, resource);
    if (tokens.token_type !== 'bearer')
      throw new AppError('unprocessable', { message: 'The upstream grants tokens of another kind than bearer.' });
    return grantedBy({ client, origins: attempt.origins, asked: attempt.scopes }, tokens);
  }

  async #open({ tenantId, name, accountId }: Readonly<Record<'tenantId' | 'name' | 'accountId', string>>) {
    const { client, connector, wanted, secret, hosts } = await this.parts.database.asTenant(tenantId, async (tx) => {
      const found = await findConnector(tx, tenantId, name);
      if (found === undefined) throw new AppError('not_found');
      const opened: UpstreamClient = await openClient(tx, this.parts.vault, found);
      const needs = await upstreamNeeds(tx, this.parts.vault, tenantId, { client: opened });
      const held = await findConnection(tx, { tenantId, accountId, connectorId: found.id });
      return { client: opened, connector: found, wanted: held?.wantedScopes ?? [], ...needs };
    });
    const mark = connectorMark(client, connector);
    return {
      client,
      connector,
      wanted,
      mark,
      configuration: configurationOf(client, secret, this.parts.http.for(hosts)),
    };
  }
}

function changed(): AppError {
  return new AppError('conflict', { message: 'This was changed while you were away. Begin again.' });
}
