import { CallDeadline } from './call-deadline.js';
import type { CallFacts, Envelope, FrameFailure, OutcomeClass } from './messages.js';
import type { CallReply } from './runtime-client.js';
import { digestsOf } from './route-key.js';
import type { PersonTokens } from './person-token.js';
import type { RuntimeExchange } from './runtime-exchanges.js';

/** A call on its connection: its progress moves its deadline, and its frames go to who made it. */
export class CallExchange implements RuntimeExchange {
  readonly #envelope: Envelope;
  readonly #deadline: CallDeadline;
  readonly #reply: CallReply;

  constructor(envelope: Envelope, reply: CallReply) {
    this.#envelope = envelope;
    this.#deadline = new CallDeadline(envelope);
    this.#reply = reply;
  }

  get tenantId(): string {
    return this.#envelope.route.tenantId;
  }

  get deadlineMs(): number {
    return this.#deadline.atMs;
  }

  get digests(): ReadonlySet<string> {
    return new Set(digestsOf(this.#envelope.route));
  }

  get tokens(): PersonTokens | undefined {
    return this.#reply.tokens;
  }

  onPart(message: Buffer): void {
    this.#deadline.extend(Date.now());
    this.#reply.onPart(message);
  }

  onDone(message: Buffer, outcome: OutcomeClass, upstreamMs: number | undefined, facts?: CallFacts): void {
    this.#reply.onDone(message, outcome, upstreamMs, facts);
  }

  onBuilt(): void {
    this.#reply.onFail({ code: 'internal' }, 'worker_failed', true);
  }

  onFail(failure: FrameFailure, outcome: OutcomeClass, started: boolean, facts?: CallFacts): void {
    this.#reply.onFail(failure, outcome, started, facts);
  }
}
