import type { UpstreamErrorClass } from '#libs/protocol';
import { UpstreamFailure } from './upstream-failure.js';

/** An answer of the 5xx kind, for the breaker to count. */
export class ServerError extends Error {
  override readonly name = 'ServerError';
}

/** What an error says against the upstream, undefined where it says nothing. */
export function errorClassOf(error: unknown): UpstreamErrorClass | undefined {
  if (error instanceof ServerError) return 'server_error';
  if (!(error instanceof UpstreamFailure)) return undefined;
  switch (error.reason) {
    case 'timeout':
    case 'connect':
    case 'untrusted':
    case 'broken_off':
    case 'invalid_response':
      return error.reason;
    default:
      return undefined;
  }
}
