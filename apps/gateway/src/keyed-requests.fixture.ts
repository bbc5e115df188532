import { expect } from '@jest/globals';
import { INITIALIZE, legacy, send } from './requests.fixture.js';

/** Headers that prove a key. */
export function bearer(key: string): Record<string, string> {
  return { authorization: `Bearer ${key}` };
}

/** Sends a message with a key. */
export async function post(url: string, key: string, message: { headers: Record<string, string>; body: string }) {
  return send(url, { headers: { ...message.headers, ...bearer(key) }, body: message.body });
}

/** Opens a session of the 2025 era and tells its id. */
export async function openSession(url: string, key: string): Promise<string> {
  const opened = await post(url, key, legacy(INITIALIZE));
  expect(opened.status).toBe(200);
  return String(opened.headers['mcp-session-id']);
}
