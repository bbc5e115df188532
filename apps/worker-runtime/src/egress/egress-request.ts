import type { EgressContext, FetchFailureReason, LoginWanted, PersonTokens, StaleMark } from '#libs/protocol';
import type { EgressPolicy } from './egress-policy.js';
import type { StreamSink } from './streams/stream-sink.js';
import type { HopAnswer } from './upstream-request.js';

/** One request of a tool, as its runner asks for it, and whose it is. */
export interface EgressRequest {
  readonly tenantId: string;
  /** The release that the tool is of: its digest, and the slugs of the servers that the worker serves it as. */
  readonly release: { readonly digest: string; readonly servers: readonly string[] };
  readonly policy: EgressPolicy;
  readonly context: EgressContext;
  /** Answers with tokens of the person who calls; without it, no person does. */
  readonly tokens?: PersonTokens | undefined;
  /** The session with an upstream that it is of, by a name that no other worker uses; aside, where no exchange waits for it. */
  readonly session?: { readonly name: string; readonly isAside: boolean } | undefined;
  readonly tool: string;
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** W3C `traceparent` of the call that it is made for. */
  readonly traceparent?: string | undefined;
  /** Told of bytes of bodies that went to an upstream or came from it, whatever comes of the request. */
  readonly moved?: ((bytes: number) => void) | undefined;
  /** Where an answer that is an event stream goes as it comes; without it, answers are read whole. */
  readonly stream?: StreamSink | undefined;
}

/** What came of it. */
export type EgressAnswer =
  | ({ readonly kind: 'fetched'; readonly stale?: StaleMark } & HopAnswer)
  | {
      readonly kind: 'failed';
      readonly reason: FetchFailureReason;
      readonly message: string;
      readonly retryAtMs?: number;
      /** Set when nothing was sent because the person who calls has to log in first. */
      readonly login?: LoginWanted;
    };
