import { signInAsPerson, type Person } from '#libs/journey';
import type { OAuthClientProvider } from '@modelcontextprotocol/sdk/client/auth.js';
import type { OAuthClientInformationFull, OAuthTokens } from '@modelcontextprotocol/sdk/shared/auth.js';

/** How a client of the v1 SDK registers. */
export interface V1Registration {
  readonly name?: string;
  readonly redirectUrl?: string;
  readonly grantTypes?: readonly string[];
}

/** The v1 SDK's own OAuth provider, with a scripted person at the browser. */
export class V1Provider implements OAuthClientProvider {
  readonly redirectUrl: string;
  readonly clientMetadata;
  callback: URL | undefined;
  #client: OAuthClientInformationFull | undefined;
  #tokens: OAuthTokens | undefined;
  #verifier = '';

  constructor(
    protected readonly person: Person,
    { name = 'v1 client', redirectUrl = 'http://127.0.0.1:33421/callback', grantTypes }: V1Registration = {},
  ) {
    this.redirectUrl = redirectUrl;
    this.clientMetadata = {
      client_name: name,
      redirect_uris: [redirectUrl],
      grant_types: [...(grantTypes ?? ['authorization_code', 'refresh_token'])],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    };
  }

  clientInformation(): OAuthClientInformationFull | undefined {
    return this.#client;
  }
  saveClientInformation(client: OAuthClientInformationFull): void {
    this.#client = client;
  }
  tokens(): OAuthTokens | undefined {
    return this.#tokens;
  }
  saveTokens(tokens: OAuthTokens): void {
    this.#tokens = tokens;
  }
  saveCodeVerifier(verifier: string): void {
    this.#verifier = verifier;
  }
  codeVerifier(): string {
    return this.#verifier;
  }
  async redirectToAuthorization(url: URL): Promise<void> {
    this.callback = await signInAsPerson(url, this.person);
  }
}
