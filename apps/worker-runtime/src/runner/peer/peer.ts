import type { Notification, Progress, Result, ServerCapabilities } from '@modelcontextprotocol/client';
import type { Trace } from './trace.js';

/** A request to a server of others, and who hears of it before it is answered. */
export interface PeerRequest {
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
  /** Protocol members of `_meta`, in place of those that we would send for ourselves. */
  readonly envelope?: Readonly<Record<string, unknown>>;
  /** The trace that it is part of, told in `_meta`. */
  readonly trace?: Trace | undefined;
  /** HTTP headers that go with it, where it goes by HTTP. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Who gets to know that more is needed first: whoever made the request, or the link that the server was opened with. */
  readonly needs?: 'caller' | 'link';
  /** How long to wait, anew after each progress, and how long in all. */
  readonly timeoutMs: number;
  readonly timeoutMaxMs: number;
  readonly signal: AbortSignal;
  readonly onProgress: ((progress: Progress) => void) | undefined;
}

/** A server of others, whatever transport it is reached by. */
export interface Peer {
  /** The era that was agreed on. */
  readonly era: 'modern' | 'legacy';
  readonly capabilities: ServerCapabilities;
  readonly instructions: string | undefined;
  /** @throws ProtocolError as it answered; SdkError when it ended or took too long */
  request(request: PeerRequest): Promise<Result>;
  notify(notification: Notification): void;
}
