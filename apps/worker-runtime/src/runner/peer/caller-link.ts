import type { ClientCapabilities, Notification, Request, Result } from '@modelcontextprotocol/client';
import type { ModernClient } from './modern-client.js';

/**
 * What a server of others may say to the client it works for, whatever transport is between it and us. A 2025-era session
 * is one such link (`serve/session-link.ts`), what answers for clients of the 2026 era the other (`CallDesk`).
 */
export interface CallerLink {
  readonly capabilities: ClientCapabilities;
  /** Asks the caller's client. @throws when it refuses, or nobody is there to be asked */
  request(request: Request, signal: AbortSignal): Promise<Result>;
  notify(notification: Notification): void;
  /** Hears that the server asked for something that the client does not offer. */
  lacks?(method: string): void;
}

/** Whom a request to a server of others is made for. */
export interface PeerCaller {
  /** A session's name, or a principal's where there are no sessions. */
  readonly name: string;
  /** 2025 era: the session's client. */
  readonly link: CallerLink | undefined;
  /** 2026 era: the client, as this request tells of it. */
  readonly client?: ModernClient | undefined;
}
