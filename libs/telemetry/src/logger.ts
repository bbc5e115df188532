import { trace } from '@opentelemetry/api';
import { pino, type Logger } from 'pino';

export type { Logger } from 'pino';

/** Names whose values never belong in a log, wherever they stand in a logged object. */
const SENSITIVE = [
  'authorization',
  'cookie',
  'set-cookie',
  'password',
  'secret',
  'token',
  'api_key',
  'apiKey',
  'code_verifier',
  'client_secret',
];

/** A structured JSON logger to standard output: service, level, time, trace id when there is one, no secrets. */
export function createLogger(service: string, level: string): Logger {
  return pino({
    level,
    base: { service },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    redact: {
      paths: SENSITIVE.flatMap((name) => [`["${name}"]`, `*["${name}"]`, `headers["${name}"]`]),
      censor: '[redacted]',
    },
    mixin: () => {
      const context = trace.getActiveSpan()?.spanContext();
      return context === undefined ? {} : { trace_id: context.traceId, span_id: context.spanId };
    },
  });
}
