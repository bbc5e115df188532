import { EventEmitter, once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';

/** A protobuf message as it is on the wire: field numbers and what they hold. */
type Field = { readonly number: number; readonly bytes?: Buffer; readonly value?: bigint };

const PROTOBUF = { 'content-type': 'application/x-protobuf' };

/** A span as the receiver was sent it. */
export interface ReceivedSpan {
  readonly service: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
  readonly kind: number;
  readonly failed: boolean;
  readonly attributes: Readonly<Record<string, string>>;
}

/** A metric as the receiver was sent it: its name as Prometheus writes it, and the names of its labels. */
export interface ReceivedMetric {
  readonly name: string;
  readonly labels: readonly string[];
}

/** A log record as the receiver was sent it. */
export interface ReceivedLog {
  readonly resource: Readonly<Record<string, string>>;
  readonly event: string;
  readonly severity: number;
  readonly body: string;
  readonly traceId: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** A request with logs. */
export interface LogsRequest {
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly logs: readonly ReceivedLog[];
}

/** Receives OTLP over HTTP as a collector does, and keeps what came. */
export class OtlpReceiver {
  readonly spans: ReceivedSpan[] = [];
  readonly metrics = new Map<string, Set<string>>();
  /** Requests with logs, in the order they came. */
  readonly logs: LogsRequest[] = [];
  readonly #bodies: Buffer[] = [];
  readonly #arrivals = new EventEmitter();
  #answer: (response: ServerResponse) => void = (response) => response.writeHead(200, PROTOBUF).end();
  readonly #server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const sent = Buffer.concat(chunks);
      const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(sent) : sent;
      this.#bodies.push(body);
      if (request.url === '/v1/traces') this.spans.push(...spansIn(body));
      if (request.url === '/v1/metrics') for (const metric of metricsIn(body)) this.#note(metric);
      if (request.url !== '/v1/logs') return void response.writeHead(200, PROTOBUF).end();
      this.logs.push({ headers: request.headers, body, logs: logsIn(body) });
      this.#answer(response);
      this.#arrivals.emit('logs');
    });
  });

  static async start(): Promise<OtlpReceiver> {
    const receiver = new OtlpReceiver();
    await new Promise<void>((resolve) => receiver.#server.listen(0, '127.0.0.1', resolve));
    return receiver;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`; // listening on TCP
  }

  /** Waits until a metric has come. */
  async untilMetric(name: string): Promise<void> {
    const late = AbortSignal.timeout(60_000);
    while (!this.metrics.has(name)) await once(this.#server, 'request', { signal: late });
  }

  /** Waits until so many requests with logs have come. */
  async untilLogs(requests: number): Promise<void> {
    const late = AbortSignal.timeout(60_000);
    while (this.logs.length < requests) await once(this.#arrivals, 'logs', { signal: late });
  }

  /** How requests with logs are answered from now on; as taken unless told. */
  answerLogs(how: (response: ServerResponse) => void): void {
    this.#answer = how;
  }

  /** Everything that was sent, as text. */
  get text(): string {
    return Buffer.concat(this.#bodies).toString('latin1');
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #note({ name, labels }: ReceivedMetric): void {
    const known = this.metrics.get(name) ?? new Set();
    for (const label of labels) known.add(label);
    this.metrics.set(name, known);
  }
}

/** opentelemetry/proto/logs/v1/logs.proto */
function logsIn(body: Buffer): ReceivedLog[] {
  return all(body, 1).flatMap((resourceLogs) => {
    const resource = attributesIn(one(resourceLogs, 1), 1);
    return all(resourceLogs, 2)
      .flatMap((scope) => all(scope, 2))
      .map((log) => ({
        resource,
        event: one(log, 12).toString(),
        severity: Number(fieldsOf(log).find(({ number }) => number === 2)?.value ?? 0),
        body: valueOf(one(log, 5)),
        traceId: one(log, 9).toString('hex'),
        attributes: attributesIn(log, 6),
      }));
  });
}

/** opentelemetry/proto/trace/v1/trace.proto */
function spansIn(body: Buffer): ReceivedSpan[] {
  return all(body, 1).flatMap((resourceSpans) => {
    const service = attributesIn(one(resourceSpans, 1), 1)['service.name'] ?? '';
    return all(resourceSpans, 2)
      .flatMap((scope) => all(scope, 2))
      .map((span) => ({
        service,
        traceId: one(span, 1).toString('hex'),
        spanId: one(span, 2).toString('hex'),
        parentSpanId: one(span, 4).toString('hex'),
        name: one(span, 5).toString(),
        kind: Number(fieldsOf(span).find(({ number }) => number === 6)?.value ?? 0),
        failed: fieldsOf(one(span, 15)).some(({ number, value }) => number === 3 && value === 2n),
        attributes: attributesIn(span, 9),
      }));
  });
}

/** opentelemetry/proto/metrics/v1/metrics.proto */
function metricsIn(body: Buffer): ReceivedMetric[] {
  const metrics = all(body, 1).flatMap((resource) => all(resource, 2).flatMap((scope) => all(scope, 2)));
  return metrics.map((metric) => {
    const name = one(metric, 1).toString().replaceAll('.', '_');
    const [gauge, sum, histogram] = [one(metric, 5), one(metric, 7), one(metric, 9)];
    const monotonic = fieldsOf(sum).some(({ number, value }) => number === 3 && value === 1n);
    const labelsOf = (data: Buffer, field: number): string[] =>
      all(data, 1).flatMap((point) => Object.keys(attributesIn(point, field)));
    return {
      name: monotonic ? `${name}_total` : name,
      labels: [...labelsOf(gauge, 7), ...labelsOf(sum, 7), ...labelsOf(histogram, 9)],
    };
  });
}

function attributesIn(message: Buffer, field: number): Record<string, string> {
  return Object.fromEntries(
    all(message, field).map((attribute) => [one(attribute, 1).toString(), valueOf(one(attribute, 2))]),
  );
}

function valueOf(value: Buffer): string {
  const [field] = fieldsOf(value);
  return field?.bytes?.toString() ?? String(field?.value ?? '');
}

function all(message: Buffer, number: number): Buffer[] {
  return fieldsOf(message).flatMap((field) => (field.number === number && field.bytes ? [field.bytes] : []));
}

function one(message: Buffer, number: number): Buffer {
  return all(message, number)[0] ?? Buffer.alloc(0);
}

/** The fields of a protobuf message (protobuf.dev, encoding). */
function fieldsOf(message: Buffer): Field[] {
  const fields: Field[] = [];
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = message[at++] ?? 0;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  const take = (length: number): Buffer => message.subarray(at, (at += length));
  while (at < message.length) {
    const tag = Number(varint());
    const number = tag >> 3;
    const type = tag & 7;
    if (type === 0) fields.push({ number, value: varint() });
    else if (type === 1) fields.push({ number, bytes: take(8) });
    else if (type === 2) fields.push({ number, bytes: take(Number(varint())) });
    else fields.push({ number, bytes: take(4) });
  }
  return fields;
}
