import type {
  OAuthClientMetadata,
  OAuthClientProvider,
  OAuthDiscoveryState,
  StoredOAuthClientInformation,
  StoredOAuthTokens,
} from '@modelcontextprotocol/client';
import { signInAsPerson, type Person } from '../browser/sign-in.js';

/**
 * An agent's sign-in, in memory: registers itself where it is not known, and lets a person sign in. The redirect URI
 * is a loopback address that nobody listens on, because the scripted browser stops before it opens it.
 */
export class PersonOAuthProvider implements OAuthClientProvider {
  readonly redirectUrl = 'http://127.0.0.1:33418/callback';
  /** Where the person's browser was sent at the end, with `code`, `iss` and `state`. */
  callback: URL | undefined;
  readonly #clients = new Map<string, StoredOAuthClientInformation>();
  #tokens: StoredOAuthTokens | undefined;
  #discovery: OAuthDiscoveryState | undefined;
  #verifier = '';
  #state = '';

  constructor(
    private readonly person: Person,
    private readonly clientName = 'Wharf journey',
  ) {}

  get clientMetadata(): OAuthClientMetadata {
    return {
      client_name: this.clientName,
      redirect_uris: [this.redirectUrl],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
      application_type: 'native',
    };
  }

  state(): string {
    this.#state = crypto.randomUUID();
    return this.#state;
  }

  clientInformation(context?: { readonly issuer: string }): StoredOAuthClientInformation | undefined {
    return this.#clients.get(context?.issuer ?? '');
  }

  saveClientInformation(client: StoredOAuthClientInformation, context?: { readonly issuer: string }): void {
    this.#clients.set(context?.issuer ?? '', client);
  }

  tokens(): StoredOAuthTokens | undefined {
    return this.#tokens;
  }

  saveTokens(tokens: StoredOAuthTokens): void {
    this.#tokens = tokens;
  }

  /** What was discovered before the redirect, so that the way back is held against the same authorization server. */
  discoveryState(): OAuthDiscoveryState | undefined {
    return this.#discovery;
  }

  saveDiscoveryState(state: OAuthDiscoveryState): void {
    this.#discovery = state;
  }

  saveCodeVerifier(verifier: string): void {
    this.#verifier = verifier;
  }

  codeVerifier(): string {
    return this.#verifier;
  }

  async redirectToAuthorization(authorizationUrl: URL): Promise<void> {
    const callback = await signInAsPerson(authorizationUrl, this.person);
    if (callback.searchParams.get('state') !== this.#state)
      throw new Error('The sign-in came back with another state.');
    this.callback = callback;
  }
}
