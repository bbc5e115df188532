import { meter, Tally } from '#libs/telemetry';
import type { Exchange } from './edge/exchange.js';

const NAMED_METHODS = new Set(['initialize', 'ping', 'server/discover', 'tools/list', 'tools/call']);
const FAMILY = /^(tools|resources|prompts|completion|logging|subscriptions|tasks|notifications)\//;

/** What is counted of calls; tenants are in the audit log, not in labels. */
export class CallMetrics {
  readonly #calls = new Tally('gateway', 'wharf_calls', 'Calls at tenant URLs by how they ended.');
  readonly #duration = meter('gateway').createHistogram('wharf_call_duration_seconds', {
    description: 'From the first byte of a call to the last of its answer.',
    unit: 's',
    advice: {
      explicitBucketBoundaries: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
    },
  });

  /** Counts a call that ended. */
  count(exchange: Exchange | undefined, outcome: string, seconds: number): void {
    const labels = { outcome, era: exchange?.era ?? 'unknown', method: methodClass(exchange) };
    this.#calls.add(labels);
    if (exchange?.operation === 'message') this.#duration.record(seconds, labels);
  }
}

/** A method's name or family: callers choose names, and labels must stay few. */
function methodClass(exchange: Exchange | undefined): string {
  if (exchange === undefined) return 'unread';
  if (exchange.operation !== 'message') return exchange.operation;
  const method = exchange.head?.method;
  if (method === undefined) return 'response';
  if (NAMED_METHODS.has(method)) return method;
  return FAMILY.exec(method)?.[1] ?? 'other';
}
