import type { Exchange } from '../mcp-servers/exchange.js';
import type { PeerCaller } from '../peer/caller-link.js';

/** Whose request it is: a session or a principal, and the exchange that waits. */
export interface RemoteCaller extends PeerCaller {
  readonly s: number;
  /** Epoch milliseconds past which nobody waits. */
  readonly lastMs: number;
}

/** A caller, as upstream servers are asked for it. */
export function remoteCaller(caller: PeerCaller & Pick<Exchange, 's' | 'deadlineMs' | 'progress'>): RemoteCaller {
  const { s, deadlineMs, progress, name, link, client } = caller;
  return { s, name, link, client, lastMs: Math.max(deadlineMs, progress?.lastMs ?? 0) };
}
