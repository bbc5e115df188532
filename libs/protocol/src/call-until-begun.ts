import { CallExchange } from './call-exchange.js';
import type { Envelope } from './messages.js';
import type { CallReply } from './call-reply.js';
import type { RuntimeClientOptions } from './runtime-client-options.js';
import type { RuntimeConnection } from './runtime-connection.js';

/** How many runtimes a call is sent to that none of them begins. */
const TRIED_MAX = 3;

/** A call of no session, which any runtime can answer. */
export interface PlacelessCall {
  readonly envelope: Envelope;
  readonly payload: Buffer;
  readonly reply: CallReply;
  readonly answerAsk: RuntimeClientOptions['answerAsk'];
  /** The next runtime to send it to, beside those that it was sent to. */
  pick(tried: ReadonlySet<RuntimeConnection>): RuntimeConnection | undefined;
}

/**
 * Sends a call to a runtime, and to another one where that leaves and has certainly not begun it: it was never written, it
 * was refused by one that stops, or it still waited for its manifest. Returns its cancel; never throws.
 */
export function callUntilBegun(first: RuntimeConnection, call: PlacelessCall): () => void {
  const tried = new Set<RuntimeConnection>();
  let given = false;
  let cancel = (): void => undefined;
  const send = (to: RuntimeConnection): void => {
    tried.add(to);
    const sendElsewhere = (): boolean => {
      // One that stays has refused for a reason of its own, such as too many calls; others are as busy.
      if (given || (to.ready && !to.draining) || tried.size >= TRIED_MAX) return false;
      const next = call.pick(tried);
      if (next !== undefined) send(next);
      return next !== undefined;
    };
    const exchange = new CallExchange(call.envelope, call.reply, call.answerAsk, sendElsewhere);
    cancel = to.call(exchange, call.envelope, call.payload);
  };
  send(first);
  return () => {
    given = true;
    cancel();
  };
}
