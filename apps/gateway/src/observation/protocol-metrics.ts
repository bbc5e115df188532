import { DurationTally, meter, Tally } from '#libs/telemetry';
import type { GuardReport } from '#libs/protocol';
import type { Exchange } from '../edge/exchange.js';
import type { CallEnd } from './call-end.js';

const NAMED_METHODS = new Set(['initialize', 'ping', 'server/discover', 'tools/list', 'tools/call']);
const FAMILY = /^(tools|resources|prompts|completion|logging|subscriptions|tasks|notifications)\//;
/** What a session begins with in either era. */
const HANDSHAKES = new Set(['initialize', 'server/discover']);
/** JSON-RPC's own codes and MCP's; whatever else a tool's server answers is `other`. */
const ERROR_CODES = new Set([
  -32700, -32600, -32601, -32602, -32603, -32000, -32001, -32002, -32020, -32021, -32022, -32042,
]);

/** The first layer: what is counted of calls as messages of a protocol, whoever's they are. */
export class ProtocolMetrics {
  readonly #calls = new Tally('gateway', 'wharf_calls', 'Calls at tenant URLs by how they ended.');
  readonly #duration = new DurationTally(
    'wharf_call_duration_seconds',
    'From the first byte of a call to the last of its answer.',
  );
  readonly #handshakes = new Tally('gateway', 'wharf_handshakes', 'Sessions begun, by whether that worked.');
  readonly #errors = new Tally('gateway', 'wharf_jsonrpc_errors', 'JSON-RPC errors answered, by code.');
  readonly #disconnects = new Tally('gateway', 'wharf_disconnects', 'Calls and streams that their client broke off.');
  readonly #guarded = new Tally(
    'gateway',
    'wharf_guarded_results',
    'Answers that a result guard changed or withheld, by what it found.',
  );
  #inFlight = 0;

  constructor() {
    const gauge = meter('gateway').createObservableGauge('wharf_calls_in_flight', {
      description: 'Calls under way in this gateway.',
    });
    gauge.addCallback((result) => result.observe(this.#inFlight));
  }

  /** A call began. */
  began(): void {
    this.#inFlight += 1;
  }

  /** The call is over. */
  ended(): void {
    this.#inFlight -= 1;
  }

  /** Counts a call that ended before it was understood. */
  countUnread(outcome: string): void {
    this.#calls.add({ outcome, era: 'unknown', method: 'unread' });
  }

  /** Counts a call that ended. */
  count({ exchange, outcome, errorCode, guard, seconds, left }: CallEnd, client: string): void {
    const { era, head } = exchange;
    const labels = { outcome, era, method: methodClass(exchange) };
    this.#calls.add(labels);
    if (exchange.operation === 'message') this.#duration.record(seconds, labels);
    if (errorCode !== undefined) this.#errors.add({ code: codeClass(errorCode), era, client });
    if (outcome === 'cancelled' || left === true) this.#disconnects.add({ era, operation: exchange.operation });
    if (guard !== undefined) for (const kind of kindsOf(guard)) this.#guarded.add({ action: guard.action, kind });
    if (head?.method !== undefined && HANDSHAKES.has(head.method))
      this.#handshakes.add({ era, client, result: outcome === 'ok' ? 'ok' : 'failed' });
  }
}

function kindsOf({ found, too_large: large }: GuardReport): readonly string[] {
  const kinds = Object.keys(found);
  return large === true || kinds.length === 0 ? ['size', ...kinds] : kinds;
}

/** A method's name or family: callers choose names, and labels must stay few. */
function methodClass(exchange: Exchange): string {
  if (exchange.operation !== 'message') return exchange.operation;
  const method = exchange.head?.method;
  if (method === undefined) return 'response';
  if (NAMED_METHODS.has(method)) return method;
  return FAMILY.exec(method)?.[1] ?? 'other';
}

function codeClass(code: number): string {
  return ERROR_CODES.has(code) ? String(code) : 'other';
}
