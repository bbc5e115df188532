import type { RemoteUpstream } from '#libs/protocol';
import { statusOf } from './upstream-failure.js';

/** How an upstream is reached: the era that it prefers, the 2025 era, or HTTP+SSE of 2024-11-05. */
export type Attempt = 'auto' | 'legacy' | 'sse';

/** Statuses with which a server of HTTP+SSE answers a POST to its stream's URL (MCP 2025-11-25, transports, "Backwards Compatibility"). */
const NOT_STREAMABLE = new Set([400, 404, 405]);

/**
 * Connects in the era of the release first, which is the likely one; then in the other, for an upstream that has left it
 * behind; and at last by the older transport, for one that takes no POST. @throws what the likely one failed with
 */
export async function connectTransport<Session>(
  era: RemoteUpstream['era'] | undefined,
  connect: (attempt: Attempt) => Promise<Session>,
): Promise<Session> {
  const likely = era === 'legacy' ? 'legacy' : 'auto';
  try {
    return await connect(likely);
  } catch (error) {
    const status = statusOf(error) ?? 0;
    if (status < 400 || status > 499 || status === 401 || status === 403) throw error;
    if (likely === 'legacy') {
      const session = await connect('auto').catch(() => undefined);
      if (session !== undefined) return session;
    }
    if (!NOT_STREAMABLE.has(status)) throw error;
    return connect('sse').catch(() => {
      throw error;
    });
  }
}
