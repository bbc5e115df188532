/** How a request failed where the upstream is to blame; `untrusted` is a TLS
 * certificate that does not prove who it is, `server_error` an answer of the 5xx kind. */
export type UpstreamErrorClass =
  | 'timeout'
  | 'connect'
  | 'untrusted'
  | 'broken_off'
  | 'invalid_response'
  | 'server_error';

/** One upstream of a tenant as one runtime sees it: its circuit breaker and what happened last. */
export interface UpstreamState {
  readonly origin: string;
  /** The digest of the release whose breaker it is; without it, it is everybody's, or the runtime is older than this. */
  readonly release?: string;
  readonly state: 'closed' | 'open' | 'half-open';
  /** Requests and failures within the breaker's window, the last ten seconds. */
  readonly requests: number;
  readonly failures: number;
  /** Epoch milliseconds of the next possible try, while it is not closed. */
  readonly retryAtMs?: number;
  readonly lastError?: { readonly reason: UpstreamErrorClass; readonly atMs: number };
  readonly lastSuccessAtMs?: number;
}

/**
 * Of which releases, by their digests, upstreams are asked about, as one server serves them. A caller that does not say so is
 * told of every release; a runtime of 0.1.0 tells so whatever is said.
 */
export interface UpstreamsOf {
  readonly server: string;
  readonly releases: readonly string[];
}

/** In place of origins: every one that a tenant has called of late. A runtime of before takes it for one that nobody calls. */
export const EVERY_ORIGIN = '*';
