import { fetchUserInfo, type TokenEndpointResponse } from 'openid-client';
import { OpenIdFailure } from '#libs/openid';
import { lacks, SUBJECT, type Claims } from './asserted-person.js';
import type { TenantProvider, TenantProviders } from './tenant-providers.js';

/** What a provider's token endpoint answered, and the claims of the ID token in it, if there is one. */
type Answered = TokenEndpointResponse & { claims(): Claims | undefined };

/**
 * What a provider says about a person: the ID token's claims, with what only userinfo tells; what both tell, the signed
 * one counts. Without an ID token, as with a refresh, userinfo has to be about the same person.
 * @throws OpenIdFailure, or the library's error
 */
export async function claimsToldBy(
  providers: TenantProviders,
  provider: TenantProvider,
  tokens: Answered,
  expected?: string,
): Promise<Claims> {
  const told = tokens.claims();
  const subject = told?.sub ?? expected;
  if (subject === undefined || !SUBJECT.test(subject)) {
    throw new OpenIdFailure('unusable', 'The provider’s ID token has no subject as OpenID Connect describes it.');
  }
  if (expected !== undefined && subject !== expected) {
    throw new OpenIdFailure('unusable', 'The provider answered about somebody else than it was asked about.');
  }
  const { client, metadata } = await providers.open(provider);
  if (metadata.userinfo_endpoint === undefined || (told !== undefined && !lacks(provider, told))) {
    return told ?? { sub: subject };
  }
  return { ...(await fetchUserInfo(client, tokens.access_token, subject)), ...told };
}
