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
  readonly state: 'closed' | 'open' | 'half-open';
  /** Requests and failures within the breaker's window, the last ten seconds. */
  readonly requests: number;
  readonly failures: number;
  /** Epoch milliseconds of the next possible try, while it is not closed. */
  readonly retryAtMs?: number;
  readonly lastError?: { readonly reason: UpstreamErrorClass; readonly atMs: number };
  readonly lastSuccessAtMs?: number;
}
