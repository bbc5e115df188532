import { signInAsPerson, type Person } from '#libs/journey';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { V1Provider } from './v1-provider.js';

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
export class ScriptedAgent extends V1Provider {
  constructor(
    person: Person,
    private readonly script: Script,
  ) {
    super(person, {
      name: 'scripted',
      ...(script.redirectUri === undefined ? {} : { redirectUrl: script.redirectUri }),
    });
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

  override async redirectToAuthorization(url: URL): Promise<void> {
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
