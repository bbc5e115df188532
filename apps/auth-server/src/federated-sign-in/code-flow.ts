import {
  authorizationCodeGrant,
  buildAuthorizationUrl,
  calculatePKCECodeChallenge,
  fetchUserInfo,
  type TokenEndpointResponse,
} from 'openid-client';
import { OpenIdFailure } from '#libs/openid';
import type { Target } from '../access/resource-access.js';
import type { PendingInteraction } from '../provider/interaction-door.js';
import type { Admission, AdmissionOutcome } from '../federation/admission.js';
import { lacks, SUBJECT, type Claims } from '../federation/asserted-person.js';
import { hashOfBrowser, randomText, type Attempt, type Attempts } from './attempts.js';
import type { TenantProvider, TenantProviders } from '../federation/tenant-providers.js';

/** What signing in with a tenant's provider rests on. */
export interface CodeFlowParts {
  readonly issuer: URL;
  readonly providers: TenantProviders;
  readonly attempts: Attempts;
  readonly admission: Admission;
}

/** Where a person goes, from where, and how they were called on the form. */
export interface Departure {
  readonly provider: TenantProvider;
  readonly interaction: PendingInteraction;
  readonly target: Target;
  readonly browser: string;
  readonly hint: string | undefined;
}

/** The code flow with a tenant's provider (OpenID Connect Core 1.0 §3.1): PKCE, nonce, a state that counts once. */
export class CodeFlow {
  constructor(private readonly parts: CodeFlowParts) {}

  /** Where the provider sends people back to; a tenant's own, so that no other tenant's provider can be mixed up with it. */
  redirectUri(tenantSlug: string): string {
    return `${this.parts.issuer.href.replace(/\/$/, '')}/federation/${tenantSlug}/callback`;
  }

  /** The provider's URL for one attempt of one browser. @throws OpenIdFailure when the provider cannot be used now */
  async begin({ provider, interaction, target, browser, hint }: Departure): Promise<string> {
    const { client } = await this.parts.providers.open(provider);
    const [nonce, verifier] = [randomText(), randomText()];
    const state = await this.parts.attempts.begin({
      interaction: interaction.uid,
      tenantId: target.tenantId,
      tenantSlug: target.tenantSlug,
      providerId: provider.id,
      clientId: interaction.clientId,
      nonce,
      verifier,
      browser: hashOfBrowser(browser),
    });
    return buildAuthorizationUrl(client, {
      redirect_uri: this.redirectUri(target.tenantSlug),
      scope: provider.scopes.join(' '),
      state,
      nonce,
      code_challenge: await calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      ...(hint === undefined ? {} : { login_hint: hint }),
    }).href;
  }

  /**
   * Exchanges what the provider sent back and lets the person in.
   * @throws Error of the library when the answer is not the one that was waited for, or OpenIdFailure
   */
  async finish(
    provider: TenantProvider,
    attempt: Attempt,
    answer: { readonly state: string; readonly query: URLSearchParams; readonly address: string },
  ): Promise<AdmissionOutcome> {
    const { client } = await this.parts.providers.open(provider);
    const url = new URL(`${this.redirectUri(attempt.tenantSlug)}?${answer.query}`);
    const tokens = await authorizationCodeGrant(client, url, {
      pkceCodeVerifier: attempt.verifier,
      expectedNonce: attempt.nonce,
      expectedState: answer.state,
      idTokenExpected: true,
    });
    const told = tokens.claims();
    if (told === undefined || !SUBJECT.test(told.sub)) {
      throw new OpenIdFailure('unusable', 'The provider’s ID token has no subject as OpenID Connect describes it.');
    }
    const claims = await this.#completed(provider, told, tokens);
    const { clientId } = attempt;
    return this.parts.admission.admit(provider, claims, { clientId, address: answer.address, by: 'browser' });
  }

  /** The ID token's claims, with what only userinfo tells; what both tell, the signed one counts. */
  async #completed(provider: TenantProvider, told: Claims, tokens: TokenEndpointResponse): Promise<Claims> {
    const { client, metadata } = await this.parts.providers.open(provider);
    if (!lacks(provider, told) || metadata.userinfo_endpoint === undefined) return told;
    return { ...(await fetchUserInfo(client, tokens.access_token, told.sub)), ...told };
  }
}
