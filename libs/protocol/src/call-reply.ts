import type { AskSubject } from './kept-results.js';
import type { DocumentChange } from './knowledge.js';
import type { CallFacts } from './call-facts.js';
import type { FrameFailure, OutcomeClass } from './messages.js';
import type { PersonTokens } from './person-token.js';

/** Hears a call's frames in order; exactly one of `onDone` and `onFail` comes, last. */
export interface CallReply {
  /** Answers with tokens of the person who calls; without it, nobody in person does. */
  readonly tokens?: PersonTokens | undefined;
  onPart(message: Buffer): void;
  onDone(message: Buffer, outcome: OutcomeClass, upstreamMs: number | undefined, facts?: CallFacts): void;
  onFail(failure: FrameFailure, outcome: OutcomeClass, started: boolean, facts?: CallFacts): void;
  /** Answers what the call's worker asks about documents, or kept results, of one of the call's servers. @throws AppError */
  onAsk?(serverSlug: string, question: Buffer, about?: AskSubject): Promise<Buffer>;
  /** Is given how to tell the worker of changed documents while the call is open. */
  onOpen?(tell: (change: DocumentChange) => void): void;
}
