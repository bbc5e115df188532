import { openSync } from 'node:fs';
import { trace } from '@opentelemetry/api';
import { destination, pino, type DestinationStream, type Logger } from 'pino';

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

let output: DestinationStream | undefined;

/** Sends what this process's loggers write to a file instead of standard output; call it before the first logger. */
export function logToFile(file: string): void {
  // Opened here and now: a process that ends at once must still be able to flush.
  output = destination({ fd: openSync(file, 'a', 0o600), sync: false, minLength: 0 });
}

/**
 * A structured JSON logger to standard output, or where `logToFile` said: service, level, time, trace id when there is
 * one, no secrets.
 */
export function createLogger(service: string, level: string): Logger {
  const options = {
    level,
    base: { service },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: {
      paths: SENSITIVE.flatMap((name) => [`["${name}"]`, `*["${name}"]`, `headers["${name}"]`]),
      censor: '[redacted]',
    },
    mixin: () => {
      const context = trace.getActiveSpan()?.spanContext();
      return context === undefined ? {} : { trace_id: context.traceId, span_id: context.spanId };
    },
  };
  return output === undefined ? pino(options) : pino(options, output);
}
