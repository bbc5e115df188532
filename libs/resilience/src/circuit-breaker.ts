import CircuitBreaker from 'opossum';

/** Where our breakers differ from their defaults; tests shorten the times. */
export interface BreakerOptions {
  /** Share of failures that opens it, in percent; default 50. */
  readonly errorPercent?: number;
  /** Calls within the window before it may open; default 10. */
  readonly callsMin?: number;
  /** How long it stays open before one probe is let through, in ms; default 30,000. */
  readonly openMs?: number;
  /** Which errors do not count, such as the caller's own cancellation. */
  readonly ignore?: (error: unknown) => boolean;
}

/**
 * A circuit breaker around an action: opens when half of at least ten calls in ten seconds failed, stays open for
 * 30 s, then lets one probe through. The action brings its own deadline.
 */
export function circuitBreaker<Arguments extends unknown[], Result>(
  name: string,
  action: (...given: Arguments) => Promise<Result>,
  options: BreakerOptions = {},
): CircuitBreaker<Arguments, Result> {
  return new CircuitBreaker(action, {
    name,
    timeout: false,
    errorThresholdPercentage: options.errorPercent ?? 50,
    volumeThreshold: options.callsMin ?? 10,
    resetTimeout: options.openMs ?? 30_000,
    rollingCountTimeout: 10_000,
    rollingCountBuckets: 10,
    // Nobody asks for latencies here, and sorting those of ten seconds every second holds up the calls of a busy one.
    rollingPercentilesEnabled: false,
    enableSnapshots: false,
    ...(options.ignore === undefined ? {} : { errorFilter: options.ignore }),
  });
}

/** Whether an error says that the breaker is open and nothing was tried. */
export function isBreakerOpen(error: unknown): boolean {
  return CircuitBreaker.isOurError(error as Error) && (error as { code?: string }).code === 'EOPENBREAKER';
}
