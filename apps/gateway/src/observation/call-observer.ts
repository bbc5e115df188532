import type { AppError } from '#libs/errors';
import type { Exchange } from '../edge/exchange.js';
import { AgentMetrics } from './agent-metrics.js';
import { namedTool, type CallEnd } from './call-end.js';
import { ProtocolMetrics } from './protocol-metrics.js';
import type { Rollup } from '../call-sums/rollup.js';
import { ToolMetrics } from './tool-metrics.js';
import type { OpenCall } from './tool-saturation.js';

/** Ends that are the caller's doing, or nobody's: the span of such a call did not fail. */
const NO_FAILURE = new Set(['ok', 'cancelled']);

/** Hears of every call at its end and tells those who count. Never throws: what is counted must not break what is served. */
export class CallObserver {
  readonly #protocol = new ProtocolMetrics();
  readonly #tools = new ToolMetrics();
  readonly #agents = new AgentMetrics();

  constructor(private readonly rollup: Rollup) {}

  /** A call began. */
  began(): void {
    this.#protocol.began();
  }

  /** The call is over, whatever came of it. */
  ended(): void {
    this.#protocol.ended();
  }

  /** A call goes to its worker; what it takes there, where it is a tool's. */
  enter(call: CallEnd['call'] & { readonly exchange: Exchange }): OpenCall | undefined {
    const tool = namedTool({ call, exchange: call.exchange });
    return tool && this.#tools.enter(call.tenant.slug, tool);
  }

  /** Counts a call that was refused before it was understood. */
  refusedUnread(error: AppError): void {
    this.#protocol.countUnread(error.code);
  }

  /** Counts a call that was understood, however it ended. */
  count(end: CallEnd): void {
    const { call, exchange, outcome, errorCode, fault } = end;
    const failed = NO_FAILURE.has(outcome) ? undefined : (errorCode?.toString() ?? outcome);
    call.span?.end(failed, {
      'wharf.outcome': outcome,
      ...(errorCode === undefined ? {} : { 'rpc.response.status_code': String(errorCode) }),
      ...(fault === undefined ? {} : { 'wharf.fault': fault }),
    });
    const client = this.#agents.clientOf(end);
    this.#protocol.count(end, client);
    const tool = namedTool(end);
    if (tool !== undefined) {
      this.#tools.count(end, tool);
      this.rollup.add(end, tool, this.#agents.count(end, tool, client));
    }
    if (exchange.operation === 'close') this.#agents.close(end);
  }
}
