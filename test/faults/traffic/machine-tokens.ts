import type { StageTenant } from '../platform/tenants.js';

/** Of the ten minutes that a token lives; short, so that the authorization server is asked all the while. */
const USED_MS = 3_000;
const PATIENCE_MS = 20_000;

interface Machine {
  readonly client: { readonly client_id: string };
  readonly client_secret: string;
}

/** The access tokens of a tenant's machine client: a new one every few seconds, the last good one where none comes. */
export class MachineTokens {
  #token = '';
  #until = 0;

  private constructor(
    private readonly origin: string,
    private readonly machine: Machine,
    private readonly resource: string,
    private readonly onAsk: () => (failure: string | undefined) => void,
  ) {}

  static async register(origin: string, tenant: StageTenant, onAsk: () => (failure: string | undefined) => void) {
    const answer = await fetch(`${origin}/v1/clients`, {
      method: 'POST',
      headers: { authorization: `Bearer ${tenant.managementKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ kind: 'machine', name: 'Agent' }),
    });
    if (!answer.ok) throw new Error(`no machine client was made: ${answer.status} ${await answer.text()}`);
    const machine = (await answer.json()) as Machine; // as the API's document says
    return new MachineTokens(origin, machine, `${origin}${tenant.path}`, onAsk);
  }

  /** The present token. */
  async get(): Promise<string> {
    if (Date.now() < this.#until) return this.#token;
    const over = this.onAsk();
    try {
      this.#token = await this.ask(this.origin);
      over(undefined);
    } catch (error) {
      over(String(error));
    }
    this.#until = Date.now() + USED_MS;
    return this.#token;
  }

  /** Asks an authorization server for a token. @throws Error where none comes */
  async ask(origin: string, patienceMs = PATIENCE_MS): Promise<string> {
    const { client, client_secret: secret } = this.machine;
    const answer = await fetch(`${origin}/auth/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(`${client.client_id}:${secret}`).toString('base64')}` },
      body: new URLSearchParams({ grant_type: 'client_credentials', resource: this.resource }),
      signal: AbortSignal.timeout(patienceMs),
    });
    if (!answer.ok) throw new Error(`no token: ${answer.status} ${await answer.text()}`);
    return ((await answer.json()) as { access_token: string }).access_token; // RFC 6749, 5.1
  }
}
