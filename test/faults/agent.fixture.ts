import { createHash } from 'node:crypto';
import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport } from '@modelcontextprotocol/client';
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as LegacyTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { StageTenant } from './stage.fixture.js';

/** What an agent knows of its calls afterwards, by the digest of the arguments it sent. */
export interface Told {
  /** Which text was sent in it. */
  readonly sent: Map<string, string>;
  /** How it was answered, once the whole answer was there: the HTTP status, and whether the tool said that it failed. */
  readonly answered: Map<string, { readonly status: number; readonly text: string }>;
}

interface Connected {
  callTool(call: { name: string; arguments: Record<string, unknown> }): Promise<unknown>;
  close(): Promise<void>;
}

/** An agent of one era that calls on and on, and connects again when it must. */
export class Agent {
  #client: Connected | undefined;

  constructor(
    private readonly tenant: StageTenant,
    private readonly era: 'modern' | 'legacy',
    private readonly told: Told,
  ) {}

  /** Makes one call with a text that nobody else sends; false when it failed. */
  async call(text: string): Promise<boolean> {
    try {
      this.#client ??= await this.#connect();
      await this.#client.callTool({ name: 'note', arguments: { text } });
      return true;
    } catch {
      await this.close();
      return false;
    }
  }

  async close(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    await client?.close().catch(() => undefined);
  }

  async #connect(): Promise<Connected> {
    const options = {
      requestInit: { headers: { authorization: `Bearer ${this.tenant.key}` } },
      fetch: (url: string | URL, init?: RequestInit) => this.#fetch(url, init),
    };
    const url = new URL(this.tenant.url);
    if (this.era === 'legacy') {
      const client = new LegacyClient({ name: 'agent', version: '1' });
      await client.connect(new LegacyTransport(url, options));
      return client;
    }
    const client = new ModernClient(
      { name: 'agent', version: '1' },
      { versionNegotiation: { mode: { pin: '2026-07-28' } } },
    );
    await client.connect(new ModernTransport(url, options));
    return client;
  }

  async #fetch(url: string | URL, init?: RequestInit): Promise<Response> {
    const body = typeof init?.body === 'string' ? init.body : '';
    const call = body.includes('"tools/call"') ? body : undefined;
    if (call === undefined) return fetch(url, init);
    const { params } = JSON.parse(call) as { params: { arguments: { text: string } } }; // what the client made of `call` above
    const digest = `sha256:${createHash('sha256').update(JSON.stringify(params.arguments)).digest('hex')}`;
    this.told.sent.set(digest, params.arguments.text);
    const response = await fetch(url, init);
    const text = await response.text();
    this.told.answered.set(digest, { status: response.status, text });
    return new Response(text, { status: response.status, headers: response.headers });
  }
}
