import type { PlacedCall } from '../sessions/place.js';

/** How often an open stream's credential is looked at again. */
const RECHECK_MS = 2_000;

/** Tells whether a call that was authorized would be so now; never throws. */
export type StillAllowed = (call: PlacedCall) => Promise<boolean>;

/** An eye on an open stream. */
export interface StreamWatch {
  readonly signal: AbortSignal;
  /** Whether it fired because the stream's caller may no longer listen. */
  readonly refused: () => boolean;
  readonly done: () => void;
}

/**
 * Fires when the gateway stops, or soon after a stream's credential was revoked or has expired: a stream lives longer
 * than the proof it was opened with.
 */
export function watchStream(call: PlacedCall, stillAllowed: StillAllowed, stopping: AbortSignal): StreamWatch {
  const refused = new AbortController();
  const timer = setInterval(() => {
    void stillAllowed(call).then((allowed) => {
      if (!allowed) refused.abort();
    });
  }, RECHECK_MS).unref();
  return {
    signal: AbortSignal.any([stopping, refused.signal]),
    refused: () => refused.signal.aborted,
    done: () => clearInterval(timer),
  };
}
