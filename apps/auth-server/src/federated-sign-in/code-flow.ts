import { authorizationCodeGrant, buildAuthorizationUrl, calculatePKCECodeChallenge } from 'openid-client';
import type { Target } from '../access/resource-access.js';
import type { PendingInteraction } from '../provider/browsers/pending-interaction.js';
import type { Admission, AdmissionOutcome } from '../federation/admission.js';
import type { Standing } from '../federation/standing.js';
import { claimsToldBy } from '../federation/told-claims.js';
import { hashOfBrowser, randomText, type Attempt, type Attempts } from './attempts.js';
import { trailOf } from './connect-notes.js';
import type { TenantProvider, TenantProviders } from '../federation/tenant-providers.js';

/** What signing in with a tenant's provider rests on. */
export interface CodeFlowParts {
  readonly issuer: URL;
  readonly providers: TenantProviders;
  readonly attempts: Attempts;
  readonly admission: Admission;
  readonly standing: Pick<Standing, 'remember'>;
}

/** Where a person goes, from where, and how they were called on the form. */
export interface Departure {
  readonly provider: TenantProvider;
  readonly interaction: PendingInteraction;
  readonly target: Target;
  readonly browser: string;
  readonly hint: string | undefined;
  /** What they were told about being passed on to other servers. */
  readonly told: string[];
}

/** The code flow with a tenant's provider (OpenID Connect Core 1.0 §3.1): PKCE, nonce, a state that counts once. */
export class CodeFlow {
  constructor(private readonly parts: CodeFlowParts) {}

  /** Where the provider sends people back to; a tenant's own, so that no other tenant's provider can be mixed up with it. */
  redirectUri(tenantSlug: string): string {
    return `${this.parts.issuer.href.replace(/\/$/, '')}/federation/${tenantSlug}/callback`;
  }

  /** The provider's URL for one attempt of one browser. @throws OpenIdFailure when the provider cannot be used now */
  async begin({ provider, interaction, target, browser, hint, told }: Departure): Promise<string> {
    const { client } = await this.parts.providers.open(provider);
    const [nonce, verifier] = [randomText(), randomText()];
    const state = await this.parts.attempts.begin({
      interaction: interaction.uid,
      tenantId: target.tenantId,
      tenantSlug: target.tenantSlug,
      providerId: provider.id,
      clientId: interaction.clientId,
      trail: trailOf(interaction, target),
      nonce,
      verifier,
      told,
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
    const claims = await claimsToldBy(this.parts.providers, provider, tokens);
    const { clientId } = attempt;
    const arrival = { clientId, address: answer.address, by: 'browser' } as const;
    const outcome = await this.parts.admission.admit(provider, claims, arrival);
    if (outcome.kind === 'admitted') {
      await this.parts.standing.remember(provider, outcome.accountId, tokens.refresh_token);
    }
    return outcome;
  }
}
