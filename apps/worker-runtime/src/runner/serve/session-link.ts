import {
  ProtocolError,
  type ClientCapabilities,
  type Notification,
  type Request,
  type RequestId,
  type Result,
  type Server,
} from '@modelcontextprotocol/server';
import { z } from 'zod';
import { ERROR_CATALOGUE } from '#libs/errors';
import type { CallerLink } from '../peer/caller-link.js';

/** Over which of a session's streams its client can be reached now. */
export interface Reach {
  /** The request that was made last of those that run: third-party servers do not say for which one they ask. */
  readonly latest: RequestId | undefined;
  /** Whether the session's own stream is open. */
  readonly listening: boolean;
}

/** How long a person may think about what a server asks. */
const ANSWER_MS = 300_000;
const anyResult = z.looseObject({});

/** A 2025-era session's client, as a third-party server that was started for it reaches it. */
export class SessionLink implements CallerLink {
  readonly #server: Server;
  readonly #reach: () => Reach;

  constructor(server: Server, reach: () => Reach) {
    this.#server = server;
    this.#reach = reach;
  }

  get capabilities(): ClientCapabilities {
    return this.#server.getClientCapabilities() ?? {};
  }

  async request(request: Request, signal: AbortSignal): Promise<Result> {
    const { latest, listening } = this.#reach();
    if (latest === undefined && !listening)
      throw new ProtocolError(
        ERROR_CATALOGUE.internal.jsonRpc,
        'The client makes no call and listens to no stream now.',
      );
    return this.#server.request(request, anyResult, { signal, timeout: ANSWER_MS, ...relatedTo(latest) });
  }

  notify(notification: Notification): void {
    const { latest, listening } = this.#reach();
    const ofCall = notification.method === 'notifications/message' || !listening;
    void this.#server.notification(notification, ofCall ? relatedTo(latest) : {}).catch(() => undefined); // it has left
  }
}

function relatedTo(latest: RequestId | undefined): { relatedRequestId?: RequestId } {
  return latest === undefined ? {} : { relatedRequestId: latest };
}
