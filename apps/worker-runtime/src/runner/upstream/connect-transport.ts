import type { RemoteUpstream } from '#libs/protocol';
import { statusOf } from './upstream-failure.js';

/** How an upstream is reached: the era that it prefers, the 2025 era, or HTTP+SSE of 2024-11-05. */
export type Attempt = 'auto' | 'legacy' | 'sse';

/** How it was reached when its release was built. */
export type Likely = Partial<Pick<RemoteUpstream, 'era' | 'transport'>>;

/** Statuses with which a server of HTTP+SSE answers a POST to its stream's URL (MCP 2025-11-25, transports, "Backwards Compatibility"). */
const NOT_STREAMABLE = new Set([400, 404, 405]);

/**
 * Connects as when the release was built; then as others do, for an upstream that has moved on; and at last by the older
 * transport, for one that takes no POST. @throws what the likely way failed with
 */
export async function connectTransport<Session>(
  { era, transport }: Likely,
  connect: (attempt: Attempt) => Promise<Session>,
): Promise<Session> {
  const likely = transport ?? (era === 'legacy' ? 'legacy' : 'auto');
  try {
    return await connect(likely);
  } catch (error) {
    const status = statusOf(error) ?? 0;
    const speaks = status >= 400 && status <= 499 && status !== 401 && status !== 403;
    if (likely !== 'sse' && !speaks) throw error;
    const others: Attempt[] = likely === 'auto' ? [] : ['auto'];
    if (likely !== 'sse' && NOT_STREAMABLE.has(status)) others.push('sse');
    for (const other of others) {
      const session = await connect(other).catch(() => undefined);
      if (session !== undefined) return session;
    }
    throw error;
  }
}
