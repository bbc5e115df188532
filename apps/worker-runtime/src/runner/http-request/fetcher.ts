import type { FetchFailureReason, HttpBinding, StaleMark } from '#libs/protocol';

/** One upstream request, complete but for its credentials, which egress adds. */
export interface UpstreamRequest {
  readonly method: HttpBinding['method'];
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Buffer;
  readonly timeoutMs: number;
}

/** What came of a request. `retryAtMs`: epoch milliseconds of the breaker's next try. */
export type FetchAnswer =
  | {
      readonly kind: 'answered';
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
      readonly body: Buffer;
      /** Set when this is an answer from before, because a new one could not be had. */
      readonly stale?: StaleMark;
    }
  | {
      readonly kind: 'failed';
      readonly reason: FetchFailureReason;
      readonly message: string;
      readonly retryAtMs?: number;
      /** How long it was given: the tool's limit, or what was left of the call's. */
      readonly timeoutMs: number;
    };

/** Makes one upstream request for one call. @throws LoginNeeded, and nothing else */
export type Fetcher = (request: UpstreamRequest) => Promise<FetchAnswer>;
