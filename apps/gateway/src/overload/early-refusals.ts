import type { IncomingMessage } from 'node:http';
import { AppError } from '#libs/errors';
import { FairAdmission } from '#libs/resilience';
import { meter, Tally } from '#libs/telemetry';
import type { TenantUrl } from '../edge/tenant-url.js';
import type { RouteTable } from '../routing/route-table.js';

/** So many calls in a tenth of a second are never too many. */
const CALLS_MIN = 32;
/** Tenants that nobody has called lately are one to the shares: strangers may make up names of as many as they like. */
const UNKNOWN = '';

/** Refuses calls while this gateway cannot keep up, before anything of them is read or looked up. */
export class EarlyRefusals {
  readonly #admission: FairAdmission;
  readonly #shed = new Tally(
    'gateway',
    'wharf_shed_calls',
    'Calls refused unread while the gateway could not keep up.',
  );
  #turn = 0;

  constructor(
    private readonly routes: Pick<RouteTable, 'knows'>,
    delayMs: number,
  ) {
    this.#admission = new FairAdmission({ delayMs, callsMin: CALLS_MIN });
    const gauge = meter('gateway').createObservableGauge('wharf_queue_delay_seconds', {
      description: 'How long everything waits in this gateway before its turn.',
    });
    gauge.addCallback((result) => result.observe(this.#admission.delayMs / 1_000));
  }

  /** What a call is refused with now, if it is: 429 to a tenant above its share, 503 to whoever is too many. */
  find(request: IncomingMessage, { tenantSlug }: TenantUrl): AppError | undefined {
    // What ends a session makes room.
    if (request.method === 'DELETE') return undefined;
    const tenant = this.routes.knows(tenantSlug) ? tenantSlug : UNKNOWN;
    const reason = this.#admission.refuses(tenant, begins(request) ? 'begins' : 'goes-on');
    if (reason === undefined) return undefined;
    this.#shed.add({ reason });
    // Not all at once again.
    const retryAfterSeconds = 1 + (this.#turn++ % 3);
    const detail = { rule: `overload.${reason}` };
    return reason === 'share'
      ? new AppError('rate_limited', {
          message: `The platform is busy, and this tenant has had its share of it. Try again in ${retryAfterSeconds} s.`,
          retryAfterSeconds,
          detail,
        })
      : new AppError('unavailable', {
          message: `The platform has more calls than it can answer. Try again in ${retryAfterSeconds} s.`,
          retryAfterSeconds,
          detail,
        });
  }

  close(): void {
    this.#admission.stop();
  }
}

/** What opens a session of the 2025 era, or would, names none; a call of the 2026 era names its method. */
function begins({ headers }: IncomingMessage): boolean {
  return headers['mcp-session-id'] === undefined && headers['mcp-method'] === undefined;
}
