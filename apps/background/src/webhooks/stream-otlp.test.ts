import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { recordLeaf } from '#libs/audit';
import { OtlpReceiver } from '#libs/testing';
import { openPostOffice, type PostOffice } from './webhooks.fixture.js';

let office: PostOffice;
const collectors: OtlpReceiver[] = [];

beforeAll(async () => {
  office = await openPostOffice();
  office.work();
});

afterAll(async () => {
  await office.close();
  await Promise.all(collectors.map((collector) => collector.stop()));
});

async function collected() {
  const collector = await OtlpReceiver.start();
  collectors.push(collector);
  const tenantId = await office.newTenant();
  await office.open(tenantId, Number(new URL(collector.endpoint).port));
  const url = `${collector.endpoint}/v1/logs`;
  const headers = { authorization: 'Bearer of-the-collector' };
  const webhook = await office.newWebhook(tenantId, { url, mode: 'stream', format: 'otlp', headers });
  return { collector, tenantId, webhook };
}

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const call = (more: object = {}) =>
  ({
    event: 'call.completed',
    actor: { kind: 'api-key', id: 'key-1' },
    traceId: TRACE,
    sourceAddress: '203.0.113.9',
    details: { method: 'tools/call', name: 'find', server: 'shop', era: 'modern', http_status: 200, duration_ms: 12 },
    ...more,
  }) as const;

test('a collector gets each record as a log record that can be searched, followed to its trace, and proved', async () => {
  const { collector, tenantId, webhook } = await collected();
  await office.record(tenantId, call(), call({ outcome: 'tool_error' }));
  const ended = office.ended(tenantId);
  await office.post();
  await ended;
  const [request] = collector.logs;
  expect(request?.headers).toMatchObject({
    'content-type': 'application/x-protobuf',
    authorization: 'Bearer of-the-collector',
    'webhook-id': `${webhook.id}_0_2`,
  });
  expect(request?.logs).toMatchObject([
    {
      resource: { 'service.name': 'wharf', 'wharf.tenant_id': tenantId },
      event: 'call.completed',
      severity: 9,
      traceId: TRACE,
      attributes: {
        'wharf.audit.leaf_index': '0',
        'mcp.method.name': 'tools/call',
        'gen_ai.tool.name': 'find',
        'wharf.server': 'shop',
        'http.response.status_code': '200',
        'wharf.duration_ms': '12',
        'client.address': '203.0.113.9',
        'user.id': 'key-1',
      },
    },
    { severity: 13, attributes: { 'wharf.audit.outcome': 'tool_error' } },
  ]);
  for (const { body } of request?.logs ?? []) {
    const { record, leaf_hash: hash } = JSON.parse(body);
    expect(recordLeaf(record).toString('base64')).toBe(hash);
  }
  expect(await office.webhook(webhook.id)).toMatchObject({ stream_next: '2', stream_job_id: null });
});

test('a batch that a collector did not take is sent again as it was', async () => {
  const { collector, tenantId, webhook } = await collected();
  collector.answerLogs((response) => response.writeHead(collector.logs.length === 1 ? 503 : 200).end());
  await office.record(tenantId, call());
  const ended = office.ended(tenantId);
  await office.post();
  await ended;
  const [first, second] = collector.logs;
  expect(second?.headers['webhook-id']).toBe(first?.headers['webhook-id']);
  expect(second?.body).toEqual(first?.body);
  expect(await office.webhook(webhook.id)).toMatchObject({ stream_next: '1', last_failure: null });
});

test('what a collector refused of a batch that it took is told, and the stream goes on', async () => {
  const { collector, tenantId, webhook } = await collected();
  // ExportLogsServiceResponse { partial_success { rejected_log_records: 2, error_message: "too old" } }
  const partial = Buffer.from([0x0a, 0x0b, 0x08, 0x02, 0x12, 0x07, ...Buffer.from('too old')]);
  collector.answerLogs((response) =>
    response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end(partial),
  );
  await office.record(tenantId, call(), call());
  const ended = office.ended(tenantId);
  await office.post();
  await ended;
  expect(collector.logs).toHaveLength(1);
  expect(await office.webhook(webhook.id)).toMatchObject({
    stream_next: '2',
    failing_since: null,
    last_failure: 'The collector refused 2 records of the last batch: too old',
  });
});

test('an address that nobody opened is not dialled', async () => {
  const { collector, tenantId, webhook } = await collected();
  await office.owner.query(`delete from egress_allowances where tenant_id = $1`, [tenantId]);
  await office.record(tenantId, call());
  await office.post();
  const { stream_job_id: job } = await office.webhook(webhook.id);
  await office.runner.run({ tenantId, id: job }, 'more-left').catch(() => undefined);
  expect(collector.logs).toEqual([]);
  expect((await office.webhook(webhook.id)).stream_next).toBe('0');
});
