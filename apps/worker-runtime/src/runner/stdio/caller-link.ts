import type { ClientCapabilities, Notification, Request, Result } from '@modelcontextprotocol/client';

/**
 * What a server's process may say to the caller it was started for: the seam between a server and the protocol era of
 * its caller. A session has one; a 2026-era principal has none yet, so its servers are told that it can do nothing.
 */
export interface CallerLink {
  readonly capabilities: ClientCapabilities;
  /** Asks the caller's client. @throws when it refuses, or nobody is there to be asked */
  request(request: Request, signal: AbortSignal): Promise<Result>;
  notify(notification: Notification): void;
}

/** Whom a server's process is started for. */
export interface StdioCaller {
  /** A session's name, or a principal's where there are no sessions. */
  readonly name: string;
  readonly link: CallerLink | undefined;
}
