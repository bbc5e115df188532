import { callRaw } from '#libs/journey';
import type { StageTenant } from '../faults/platform/tenants.js';

const AT_ONCE = 4;
const ANSWER_MS = 30_000;

/** A tool that takes a `text`. */
interface TextTool {
  readonly url: string;
  readonly bearer?: string;
  readonly name: string;
}

/** The tool of a tenant. */
export function toolOf(origin: string, { path, key }: StageTenant): TextTool {
  return { url: `${origin}${path}`, bearer: key, name: 'note' };
}

/** Calls a tool so many times, some at once. @throws Error where one fails */
export async function callMany({ name, ...how }: TextTool, calls: number): Promise<void> {
  let made = 0;
  const loop = async (): Promise<void> => {
    while ((made += 1) <= calls) {
      const params = { name, arguments: { text: `load ${made}` } };
      const { status, message } = await callRaw({ ...how, method: 'tools/call', params });
      if (status !== 200 || message?.result === undefined) throw new Error(`a call was answered with ${status}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, loop));
}

/** Opens so many sessions of the 2025 era and leaves them open. @throws Error where one is refused */
export async function openSessions(origin: string, { path, key }: StageTenant, count: number): Promise<void> {
  for (let opened = 0; opened < count; opened += 1) {
    const first = await post(`${origin}${path}`, key, {
      jsonrpc: '2.0',
      id: 1,
      method: 'initialize',
      params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'load', version: '1' } },
    });
    const session = first.headers.get('mcp-session-id');
    if (session === null) throw new Error(`a session was refused: ${first.status} ${await first.text()}`);
    await first.text();
    const told = await post(
      `${origin}${path}`,
      key,
      { jsonrpc: '2.0', method: 'notifications/initialized' },
      { 'mcp-session-id': session, 'mcp-protocol-version': '2025-11-25' },
    );
    await told.text();
  }
}

function post(url: string, key: string, message: object, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${key}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...headers,
    },
    body: JSON.stringify(message),
    signal: AbortSignal.timeout(ANSWER_MS),
  });
}
