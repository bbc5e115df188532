import type { CallContent, Envelope, ToolLimits } from '#libs/protocol';
import type { AnswerGuard } from '../guards/answer-guard.js';
import type { PeerCaller } from '../peer/caller-link.js';
import type { Exchange } from './exchange.js';

/** Whose call a tool runs for: its exchange, and whom a third-party server is started for. */
export interface Caller extends PeerCaller {
  readonly s: number;
  readonly deadlineMs: number;
  readonly progress?: Envelope['progress'];
  /** Takes what its tool was asked and answered, where that is recorded. */
  readonly note: ((content: CallContent) => void) | undefined;
  /** W3C `traceparent` of what is done for it. */
  readonly traceparent: string | undefined;
  /** How many bytes of an answer a result shows, where what is larger can be kept. */
  readonly inlineBytes: number | undefined;
  /** What may be kept and shown of its answer. */
  readonly guard: AnswerGuard | undefined;
}

/** What a tool's caller has from its exchange. */
export function partOf({
  s,
  deadlineMs,
  progress,
  note,
  traceparent,
  inlineBytes,
  guard,
}: Exchange): Omit<Caller, keyof PeerCaller> {
  return { s, deadlineMs, progress, note, traceparent, inlineBytes, guard };
}

/** How long to wait for a server, no longer than a tool's own limit, anew after each progress, and how long in all. */
export function timesOf(
  { deadlineMs, progress }: Caller,
  limits: ToolLimits = {},
): {
  readonly timeoutMs: number;
  readonly timeoutMaxMs: number;
} {
  const nowMs = Date.now();
  const leftMs = Math.max(1, deadlineMs - nowMs);
  return {
    timeoutMs: Math.min(leftMs, limits.timeoutMs ?? leftMs),
    timeoutMaxMs: Math.max(leftMs, (progress?.lastMs ?? deadlineMs) - nowMs),
  };
}

/** The name of a session among those that bundled servers are started for. */
export function sessionCaller(sessionId: string): string {
  return `session ${sessionId}`;
}
