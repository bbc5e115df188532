import { signInAsPerson, type Person } from '#libs/journey';
import type { OAuthClientProvider } from '@modelcontextprotocol/sdk/client/auth.js';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { OAuthClientInformationFull, OAuthTokens } from '@modelcontextprotocol/sdk/shared/auth.js';

/** What an agent does wrong, or a person answers. */
export interface Script {
  /** Its `User-Agent`. */
  readonly program: string;
  readonly redirectUri?: string;
  /** Changes the authorization URL before the person opens it. */
  readonly authorization?: (url: URL) => void;
  readonly answer?: 'allow' | 'deny';
  /** Changes the form of the token request. */
  readonly tokenForm?: (form: URLSearchParams) => void;
}

/** The official SDK's OAuth client with one thing wrong. */
export class ScriptedAgent implements OAuthClientProvider {
  readonly clientMetadata;
  callback: URL | undefined;
  #client: OAuthClientInformationFull | undefined;
  #tokens: OAuthTokens | undefined;
  #verifier = '';

  constructor(
    private readonly person: Person,
    private readonly script: Script,
  ) {
    this.clientMetadata = {
      client_name: 'scripted',
      redirect_uris: [this.redirectUrl],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    };
  }

  get redirectUrl(): string {
    return this.script.redirectUri ?? 'http://127.0.0.1:33421/callback';
  }

  /** Connects, signs in where it must, and lists the tools; throws where it stops. */
  async run(url: string): Promise<string[]> {
    const first = this.#transport(url);
    try {
      await new Client({ name: 'scripted', version: '1' }).connect(first as never); // the SDK's own types disagree
    } catch (error) {
      const code = this.callback?.searchParams.get('code');
      if (code === undefined || code === null) throw error;
      await first.finishAuth(code);
    }
    const client = new Client({ name: 'scripted', version: '1' });
    await client.connect(this.#transport(url) as never); // as above
    const { tools } = await client.listTools();
    await client.close();
    return tools.map(({ name }) => name);
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
    this.script.authorization?.(url);
    this.callback = await signInAsPerson(url, this.person, this.script.answer);
  }

  #transport(url: string): StreamableHTTPClientTransport {
    return new StreamableHTTPClientTransport(new URL(url), {
      authProvider: this,
      fetch: (target, init) => this.#fetch(target, init),
    });
  }

  async #fetch(target: string | URL, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    headers.set('user-agent', this.script.program);
    const { body } = init;
    if (String(target).endsWith('/token') && body instanceof URLSearchParams) this.script.tokenForm?.(body);
    return fetch(target, { ...init, headers });
  }
}
