import { metrics, trace } from '@opentelemetry/api';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import { IORedisInstrumentation } from '@opentelemetry/instrumentation-ioredis';
import { PgInstrumentation } from '@opentelemetry/instrumentation-pg';
import { PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { processEnvironment } from '#libs/config';

/** The running telemetry of this process. */
export interface Telemetry {
  /** Sends what is buffered and stops. */
  stop(): Promise<void>;
}

let running: { sdk: NodeSDK; reader: PrometheusExporter; users: number } | undefined;

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

function startSdk(service: string): { sdk: NodeSDK; reader: PrometheusExporter; users: number } {
  const reader = new PrometheusExporter({ preventServerStart: true });
  const environment = processEnvironment();
  const exporting = environment['OTEL_EXPORTER_OTLP_ENDPOINT'] !== undefined;
  const sdk = new NodeSDK({
    serviceName: environment['OTEL_SERVICE_NAME'] ?? `wharf-${service}`,
    metricReaders: exporting
      ? [reader, new PeriodicExportingMetricReader({ exporter: new OTLPMetricExporter() })]
      : [reader],
    // Without an endpoint the SDK would try the default one on this host for ever.
    ...(exporting ? {} : { spanProcessors: [] }),
    instrumentations: [new PgInstrumentation(), new IORedisInstrumentation()],
  });
  sdk.start();
  return { sdk, reader, users: 0 };
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
