import {
  ProtocolError,
  type ClientCapabilities,
  type Notification,
  type Request,
  type Result,
} from '@modelcontextprotocol/client';
import type { LoggingLevel } from '@modelcontextprotocol/server';
import { ERROR_CATALOGUE } from '#libs/errors';
import type { CallerLink } from '../peer/caller-link.js';
import type { ModernClient } from '../peer/modern-client.js';
import { missingFor } from '../peer/results.js';

/** A call of a 2026-era client that runs at a server. */
export interface DeskCall {
  /** Whose request waits for it now. */
  readonly client: ModernClient | undefined;
  /** Takes a question of the server; only what may answer `input_required` has this. */
  ask?(request: Request, signal: AbortSignal): Promise<Result>;
  /** Hears that the server wanted what the client does not offer. */
  lacks?(error: ProtocolError): void;
}

/** Who hears what a server says outside of any call, and that it asks its callers. */
export interface DeskHearing {
  readonly changed: (notification: Notification) => void;
  readonly asked: () => void;
}

const LEVELS: readonly LoggingLevel[] = [
  'debug',
  'info',
  'notice',
  'warning',
  'error',
  'critical',
  'alert',
  'emergency',
];

/**
 * Stands between a server that was started for clients of the 2026 era and the calls that they make: such clients cannot
 * be asked, only answered. What the server asks goes to the one call that runs; where several do, nobody can tell which
 * of them it asks for, and it is refused rather than given to the wrong one.
 */
export class CallDesk implements CallerLink {
  readonly #calls = new Set<DeskCall>();
  #claims = 0;

  constructor(
    readonly capabilities: ClientCapabilities,
    private readonly hearing: DeskHearing,
  ) {}

  /** Whether a call runs, or is about to, that the server may ask. */
  get busy(): boolean {
    return this.#claims > 0 || this.#asking().length > 0;
  }

  /** Notes that a call that may be asked is about to run here. */
  claim(): void {
    this.#claims += 1;
  }

  /** Notes that a call runs; the answer ends that. */
  enter(call: DeskCall): () => void {
    if (call.ask !== undefined) this.#claims -= 1;
    this.#calls.add(call);
    return () => this.#calls.delete(call);
  }

  async request(request: Request, signal: AbortSignal): Promise<Result> {
    this.hearing.asked();
    const [call, ...others] = this.#asking();
    if (call?.ask === undefined || others.length > 0)
      throw new ProtocolError(
        ERROR_CATALOGUE.internal.jsonRpc,
        call === undefined
          ? 'No call runs that could be asked.'
          : 'Several calls run, and it is not clear which asks. Make the call again.',
      );
    return call.ask(request, signal);
  }

  lacks(method: string): void {
    this.hearing.asked();
    const [call, ...others] = this.#asking();
    const missing = missingFor(method, this.capabilities);
    if (others.length === 0 && missing !== undefined) call?.lacks?.(missing);
  }

  notify(notification: Notification): void {
    if (notification.method !== 'notifications/message') {
      this.hearing.changed(notification);
      return;
    }
    const level = LEVELS.indexOf(notification.params?.['level'] as LoggingLevel); // whatever it says; none is below all
    const wanting = [...this.#calls].filter(
      ({ client }) => client?.logLevel !== undefined && LEVELS.indexOf(client.logLevel) <= level,
    );
    wanting.at(-1)?.client?.tell(notification);
  }

  #asking(): DeskCall[] {
    return [...this.#calls].filter(({ ask }) => ask !== undefined);
  }
}
