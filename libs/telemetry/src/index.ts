export { createLogger, logToFile, type Logger } from './logger.js';
export { meter, metricsText, startTelemetry, tracer, type Telemetry } from './telemetry.js';
export { Tally } from './tally.js';
export { bucketOf, CALL_SECONDS, DurationTally } from './duration-tally.js';
export { GaugeTally } from './gauge-tally.js';
export { OTHER, TopNames } from './top-names.js';
export { startWorkSpan, type WorkSpan, type WorkSpanStart } from './work-span.js';
