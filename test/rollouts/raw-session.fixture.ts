import { newId } from '#libs/database';
import { releaseIn } from './traffic.fixture.js';

const VERSION = '2025-11-25';
const ANSWER_MS = 30_000;
/** Of so many sessions one belongs to a candidate that has two in five callers, but for one time in ten million. */
const SESSIONS_MAX = 32;

/** What a call in a session came to: 404 where the session has ended, and which release answered. */
export interface SessionAnswer {
  readonly status: number;
  readonly release: string | undefined;
}

/** A session of the 2025 era at one gateway, without a client that would open it anew. */
export class RawSession {
  private constructor(
    private readonly url: string,
    private readonly headers: Readonly<Record<string, string>>,
  ) {}

  /** Opens sessions until one belongs to a release. @throws Error where none does */
  static async of(release: string, url: string, bearer: string): Promise<RawSession> {
    for (let opened = 0; opened < SESSIONS_MAX; opened += 1) {
      const session = await RawSession.#open(url, bearer);
      if ((await session.call()).release === release) return session;
    }
    throw new Error(`None of ${SESSIONS_MAX} sessions is of ${release}.`);
  }

  static async #open(url: string, bearer: string): Promise<RawSession> {
    const headers = {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      authorization: `Bearer ${bearer}`,
    };
    const clientInfo = { name: 'raw', version: '1' };
    const params = { protocolVersion: VERSION, capabilities: {}, clientInfo };
    const opened = await send(url, headers, { id: 1, method: 'initialize', params });
    await opened.text();
    const own = { 'mcp-session-id': opened.headers.get('mcp-session-id') ?? '', 'mcp-protocol-version': VERSION };
    const session = new RawSession(url, { ...headers, ...own });
    await (await send(url, session.headers, { method: 'notifications/initialized' })).text();
    return session;
  }

  /** Calls the shop's tool. */
  async call(): Promise<SessionAnswer> {
    const params = { name: 'echo', arguments: { id: newId() } };
    const answer = await send(this.url, this.headers, { id: 2, method: 'tools/call', params });
    return { status: answer.status, release: releaseIn(await answer.text()) };
  }
}

function send(url: string, headers: Readonly<Record<string, string>>, message: object): Promise<Response> {
  const body = JSON.stringify({ jsonrpc: '2.0', ...message });
  return fetch(url, { method: 'POST', headers, body, signal: AbortSignal.timeout(ANSWER_MS) });
}
