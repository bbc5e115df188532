import { setTimeout as pause } from 'node:timers/promises';
import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport } from '@modelcontextprotocol/client';
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as LegacyTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Call, Ledger } from './ledger.js';
import { isWorthAgain } from './told.js';

const RETRY_AFTER_MS_MAX = 3_000;

interface Connected {
  callTool(call: { name: string; arguments: Record<string, unknown> }): Promise<unknown>;
  close(): Promise<void>;
}

/** Who calls, where, and as whom. */
export interface AgentOptions {
  readonly url: string;
  /** The tenant's mark, which every answer must hold. */
  readonly mark: string;
  readonly era: 'modern' | 'legacy';
  readonly ledger: Ledger;
  /** An API key, or an access token as it is now. */
  readonly bearer: () => Promise<string>;
  /** How long it waits for an answer. */
  readonly patienceMs: number;
  /** A client makes a call once more that failed through no fault of its own; a probe says how it went. */
  readonly as: 'client' | 'probe';
}

/** A real MCP client of one era that calls on and on, and connects again when it must. */
export class Agent {
  #client: Connected | undefined;
  #current: Call | undefined;
  /** How its last call failed that did. */
  lastFailure = '';

  constructor(private readonly options: AgentOptions) {}

  /**
   * Makes one call with a text that nobody else sends; false when it failed. A client of the 2026 era makes another where the
   * first was not answered, or was with 502 or 503, after the time that the answer names. One of the 2025 era that is told that its
   * session has ended begins another and makes another call (MCP 2025-11-25, transports, session management): nothing has
   * failed then. `row`: what it belongs to, if not to the current row.
   */
  async call(tool = 'note', row?: string): Promise<boolean> {
    const { ledger, mark, era, as } = this.options;
    const call = ledger.begin(mark, as === 'probe' ? 'probe' : 'first', row);
    if (await this.#make(call, tool)) return true;
    if (as === 'probe') return false;
    if (era === 'legacy' && call.answer?.status === 404) [call.failed, call.sessionEnded] = [false, true];
    else if (era === 'legacy' || !isWorthAgain(call)) return false;
    await pause(Math.min(call.answer?.retryAfterMs ?? 0, RETRY_AFTER_MS_MAX));
    return this.#make(ledger.begin(mark, 'again', row ?? call.row), tool);
  }

  async #make(call: Call, tool: string): Promise<boolean> {
    const { mark } = this.options;
    const startedMs = performance.now();
    try {
      this.#client ??= await this.#connect();
      this.#current = call;
      const result = JSON.stringify(await this.#client.callTool({ name: tool, arguments: { text: call.text } }));
      call.failed = !(result.includes(call.text) && result.includes(`\\"mark\\":\\"${mark}\\"`));
      if (call.failed) this.#note(call, result.slice(0, 200));
    } catch (error) {
      this.#note(call, call.answer === undefined ? `no answer: ${causesOf(error)}` : toldBy(call.answer));
      await this.close();
    }
    call.ms = performance.now() - startedMs;
    return !call.failed;
  }

  #note(call: Call, failure: string): void {
    call.failure = failure;
    this.lastFailure = failure;
  }

  async close(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    await client?.close().catch(() => undefined);
  }

  async #connect(): Promise<Connected> {
    const options = { fetch: (url: string | URL, init?: RequestInit) => this.#fetch(url, init) };
    const url = new URL(this.options.url);
    if (this.options.era === 'legacy') {
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

  async #fetch(url: string | URL, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    headers.set('authorization', `Bearer ${await this.options.bearer()}`);
    const isCall = typeof init.body === 'string' && init.body.includes('"tools/call"');
    // A stream that is listened to has no end of its own.
    if (init.method === 'GET') return fetch(url, { ...init, headers });
    const late = AbortSignal.timeout(this.options.patienceMs);
    const signal = init.signal ? AbortSignal.any([init.signal, late]) : late;
    const response = await fetch(url, { ...init, headers, signal });
    if (!isCall || this.#current === undefined) return response;
    const call = this.#current;
    const text = await response.text();
    const retryAfterMs = Number(response.headers.get('retry-after') ?? 0) * 1_000;
    this.options.ledger.answered(call, { status: response.status, text, retryAfterMs });
    return new Response(text, { status: response.status, headers: response.headers });
  }
}

function toldBy({ status, text }: NonNullable<Call['answer']>): string {
  return `${status} ${text.slice(0, 200)}`;
}

/** An error and what led to it: a failed fetch says only there why it failed. */
function causesOf(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? `, ${causesOf(error.cause)}` : '';
  return `${String(error).slice(0, 300)}${cause}`;
}
