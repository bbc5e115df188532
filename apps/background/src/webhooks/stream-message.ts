import {
  ocsfEvent,
  otlpLogs,
  recordLeaf,
  toLogRecord,
  type LogRow,
  type OtlpItem,
  type ShownRecord,
} from '#libs/audit';
import type { Message } from './sender.js';
import type { StreamFormat } from './webhooks.repository.js';

/** A record as a stream's format writes it. */
export type StreamItem = OtlpItem;

/** Writes one record. */
export function streamItem(tenantId: string, format: StreamFormat, row: LogRow, shown: ShownRecord): StreamItem {
  const told = format === 'ocsf' ? ocsfEvent(Number(row.leaf_index), shown) : provable(tenantId, row, shown);
  return { shown, line: JSON.stringify(told) };
}

/** The body of a message with these records. */
export function streamBody(
  tenantId: string,
  format: StreamFormat,
  batch: { readonly first: number; readonly end: number; readonly at: Date; readonly items: readonly StreamItem[] },
): Message['body'] {
  const { first, end, at, items } = batch;
  if (format === 'otlp') return otlpLogs(tenantId, items);
  const head = JSON.stringify({ type: 'audit.records', timestamp: at.toISOString() }).slice(0, -1);
  const span = `"first_leaf":${first},"end_leaf":${end},"format":"${format}"`;
  return `${head},"data":{${span},"records":[${items.map(({ line }) => line).join(',')}]}}`;
}

/** What a collector gets as a test: a log record that stands in no log. */
export function otlpTest(tenantId: string, delivery: { readonly id: string; readonly at: Date }): Uint8Array {
  const shown: ShownRecord = {
    id: delivery.id,
    leaf_index: null,
    at: delivery.at.toISOString(),
    event: 'webhook.test',
    actor: { kind: 'system', id: 'webhooks' },
    target: `tenant:${tenantId}`,
    outcome: 'ok',
    details: {},
    source_address: null,
    trace_id: null,
    personal: 'none',
  };
  return otlpLogs(tenantId, [{ shown, line: 'This is a test.' }]);
}

/** A record with what proves it, as an NDJSON export has it. */
function provable(tenantId: string, row: LogRow, shown: ShownRecord): object {
  const record = toLogRecord(tenantId, row);
  const { source_address: address, details } = shown;
  return {
    leaf_index: Number(row.leaf_index),
    leaf_hash: recordLeaf(record).toString('base64'),
    record,
    ...(shown.personal === 'shown' ? { personal: { source_address: address, details } } : {}),
  };
}
