import { metrics, trace } from '@opentelemetry/api';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import { IORedisInstrumentation } from '@opentelemetry/instrumentation-ioredis';
import { PgInstrumentation } from '@opentelemetry/instrumentation-pg';
import { PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { AlwaysOnSampler, BatchSpanProcessor } from '@opentelemetry/sdk-trace';
import { processEnvironment } from '#libs/config';
import { durationProducer } from './duration-tally.js';
import { TailSampling } from './tail-sampling.js';

/** The running telemetry of this process. */
export interface Telemetry {
  /** Sends what is buffered and stops. */
  stop(): Promise<void>;
}

interface Running {
  readonly sdk: NodeSDK;
  readonly reader: PrometheusExporter;
  readonly exporting: boolean;
  users: number;
}

let running: Running | undefined;

/**
 * Starts OpenTelemetry once for the process, whichever of its services comes first: traces and metrics by OTLP when
 * the standard `OTEL_EXPORTER_OTLP_ENDPOINT` is set, metrics for Prometheus always. The last service to stop ends it.
 */
export function startTelemetry(service: string): Telemetry {
  running ??= startSdk(service);
  running.users += 1;
  let stopped = false;
  return {
    async stop() {
      if (stopped || running === undefined) return;
      stopped = true;
      running.users -= 1;
      if (running.users > 0) return;
      const { sdk } = running;
      running = undefined;
      await sdk.shutdown().catch(() => undefined);
    },
  };
}

function startSdk(service: string): Running {
  const metricProducers = [durationProducer];
  const reader = new PrometheusExporter({ preventServerStart: true, metricProducers });
  const environment = processEnvironment();
  const exporting = environment['OTEL_EXPORTER_OTLP_ENDPOINT'] !== undefined;
  const sdk = new NodeSDK({
    serviceName: environment['OTEL_SERVICE_NAME'] ?? `wharf-${service}`,
    metricReaders: exporting
      ? [
          reader,
          new PeriodicExportingMetricReader({
            exporter: new OTLPMetricExporter(),
            metricProducers,
            ...everyMs(environment),
          }),
        ]
      : [reader],
    // Every span is recorded and the processor decides at its end. Without an endpoint there is nobody to export to.
    sampler: new AlwaysOnSampler(),
    spanProcessors: exporting
      ? [new TailSampling(new BatchSpanProcessor({ exporter: new OTLPTraceExporter() }), sampledShare(environment))]
      : [],
    // Logs go to standard output, where a collector picks them up.
    logRecordProcessors: [],
    instrumentations: [
      new PgInstrumentation({ requireParentSpan: true }),
      new IORedisInstrumentation({ requireParentSpan: true }),
    ],
  });
  sdk.start();
  return { sdk, reader, exporting, users: 0 };
}

/** How often metrics are exported, from the standard `OTEL_METRIC_EXPORT_INTERVAL`; every minute where it is not set. */
function everyMs(environment: ReturnType<typeof processEnvironment>): {
  readonly exportIntervalMillis: number;
  readonly exportTimeoutMillis: number;
} {
  const ms = Number(environment['OTEL_METRIC_EXPORT_INTERVAL'] ?? 60_000);
  const exportIntervalMillis = Number.isFinite(ms) && ms >= 100 ? ms : 60_000;
  return { exportIntervalMillis, exportTimeoutMillis: Math.min(30_000, exportIntervalMillis) };
}

/** The share of successful calls whose spans are exported, from the standard `OTEL_TRACES_SAMPLER_ARG`; all where it is not set. */
function sampledShare(environment: ReturnType<typeof processEnvironment>): number {
  const share = Number(environment['OTEL_TRACES_SAMPLER_ARG'] ?? 1);
  return Number.isFinite(share) ? Math.min(1, Math.max(0, share)) : 1;
}

/** Whether spans of this process go anywhere. */
export function exportsSpans(): boolean {
  return running?.exporting === true;
}

/** This process's metrics in the Prometheus text format; empty before telemetry has started. */
export async function metricsText(): Promise<string> {
  if (running === undefined) return '';
  const { resourceMetrics } = await running.reader.collect();
  return new PrometheusSerializer().serialize(resourceMetrics);
}

/** The meter of a room; instruments are made once, at start. */
export function meter(room: string): ReturnType<typeof metrics.getMeter> {
  return metrics.getMeter(room);
}

/** The tracer of a room. */
export function tracer(room: string): ReturnType<typeof trace.getTracer> {
  return trace.getTracer(room);
}
