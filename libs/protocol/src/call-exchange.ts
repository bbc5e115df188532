import { AppError } from '#libs/errors';
import { CallDeadline } from './call-deadline.js';
import type { AskSubject } from './kept-results.js';
import type { DocumentChange } from './knowledge.js';
import type { CallFacts } from './call-facts.js';
import type { Envelope, FrameFailure, OutcomeClass } from './messages.js';
import type { CallReply } from './call-reply.js';
import type { RuntimeClientOptions } from './runtime-client-options.js';
import { digestsOf } from './route-key.js';
import type { PersonTokens } from './person-token.js';
import type { RuntimeExchange } from './runtime-exchanges.js';

/** A call on its connection: its progress moves its deadline, and its frames go to who made it. */
export class CallExchange implements RuntimeExchange {
  readonly #envelope: Envelope;
  readonly #deadline: CallDeadline;
  readonly #reply: CallReply;

  readonly #answerAsk: RuntimeClientOptions['answerAsk'];
  readonly #sendElsewhere: () => boolean;

  /** `sendElsewhere` sends the call to another runtime where the one that left has not begun it, and says whether it did. */
  constructor(
    envelope: Envelope,
    reply: CallReply,
    answerAsk: RuntimeClientOptions['answerAsk'],
    sendElsewhere: () => boolean = () => false,
  ) {
    this.#answerAsk = answerAsk;
    this.#sendElsewhere = sendElsewhere;
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

  /** @throws AppError `not_found` for a server that is none of the call's, or where nobody answers */
  async onAsk(serverSlug: string, question: Buffer, about?: AskSubject): Promise<Buffer> {
    const { mounts, tenantId } = this.#envelope.route;
    const known = mounts.some((mount) => mount.serverSlug === serverSlug);
    if (known && this.#reply.onAsk !== undefined) return this.#reply.onAsk(serverSlug, question, about);
    if (known && this.#answerAsk !== undefined && (about ?? 'documents') === 'documents')
      return this.#answerAsk(tenantId, serverSlug, question);
    throw new AppError('not_found');
  }

  onOpen(tell: (change: DocumentChange) => void): void {
    this.#reply.onOpen?.(tell);
  }

  onBuilt(): void {
    this.#reply.onFail({ code: 'internal' }, 'worker_failed', true);
  }

  onFail(failure: FrameFailure, outcome: OutcomeClass, started: boolean, facts?: CallFacts): void {
    const left = failure.code === 'unavailable' || failure.code === 'worker_failed';
    if (left && !started && this.deadlineMs > Date.now() && this.#sendElsewhere()) return;
    this.#reply.onFail(failure, outcome, started, facts);
  }
}
