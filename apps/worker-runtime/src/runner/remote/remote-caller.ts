import type { Exchange } from '../serve/exchange.js';
import type { StdioCaller } from '../stdio/caller-link.js';

/** Whose request it is: a session or a principal, and the exchange that waits. */
export interface RemoteCaller extends StdioCaller {
  readonly s: number;
  /** Epoch milliseconds past which nobody waits. */
  readonly lastMs: number;
}

/** A caller, as upstream servers are asked for it. */
export function remoteCaller(caller: StdioCaller & Pick<Exchange, 's' | 'deadlineMs' | 'progress'>): RemoteCaller {
  const { s, deadlineMs, progress, name, link } = caller;
  return { s, name, link, lastMs: Math.max(deadlineMs, progress?.lastMs ?? 0) };
}
