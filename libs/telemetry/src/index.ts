export { createLogger, logToFile, type Logger } from './logger.js';
export { meter, metricsText, startTelemetry, tracer, type Telemetry } from './telemetry.js';
export { Tally } from './tally.js';
