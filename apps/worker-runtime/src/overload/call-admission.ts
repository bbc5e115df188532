import type { FrameFailure } from '#libs/protocol';
import { FairAdmission } from '#libs/resilience';
import { meter } from '#libs/telemetry';

/** So many calls in a tenth of a second are never too many. */
const CALLS_MIN = 32;

/** Refuses calls by fair shares of their tenants while this runtime cannot keep up, before a worker is looked for. */
export class CallAdmission {
  readonly #admission: FairAdmission;
  readonly #shed = meter('intake').createCounter('wharf_runtime_shed_calls', {
    description: 'Calls refused while the runtime could not keep up.',
  });

  constructor(delayMs: number) {
    this.#admission = new FairAdmission({ delayMs, callsMin: CALLS_MIN });
  }

  /** What a tenant's call fails with now, if it does; it has not begun then. */
  readonly refuses = (tenantId: string): FrameFailure | undefined => {
    const reason = this.#admission.refuses(tenantId, 'goes-on');
    if (reason === undefined) return undefined;
    this.#shed.add(1, { reason });
    return { code: reason === 'share' ? 'rate_limited' : 'unavailable', retryAfterSeconds: 1 };
  };

  stop(): void {
    this.#admission.stop();
  }
}
