import type { OutcomeClass } from './messages.js';

/** The `error.type` of a span whose call ended so (OpenTelemetry, MCP conventions); undefined where nothing failed. */
export function errorTypeOf(outcome: OutcomeClass): string | undefined {
  return outcome === 'ok' || outcome === 'cancelled' ? undefined : outcome;
}
