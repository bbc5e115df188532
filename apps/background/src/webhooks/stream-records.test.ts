import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Webhook } from 'standardwebhooks';
import { recordLeaf } from '#libs/audit';
import { newId } from '#libs/database';
import type { ReceivedMessage } from '#libs/testing';
import { openPostOffice, subscribe, type PostOffice, type TestWebhook } from './webhooks.fixture.js';

let office: PostOffice;
beforeAll(async () => {
  office = await openPostOffice();
  office.work();
});

afterAll(() => office.close());

const streamed = (more: Partial<TestWebhook> = {}) => subscribe(office, { mode: 'stream', ...more });

const call = (index: number) => ({ event: 'call.completed', details: { index } }) as const;
const calls = (count: number, from = 0) => Array.from({ length: count }, (_, index) => call(from + index));
const recordsOf = ({ body }: ReceivedMessage) => JSON.parse(body).data.records;
const leavesOf = (messages: readonly ReceivedMessage[]): number[] =>
  messages.flatMap((message) => recordsOf(message).map((item: { leaf_index: number }) => item.leaf_index));
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index);

test('every record is sent, calls too, in the order of the log, each with the hash that the tree holds', async () => {
  const { tenantId, receiver, webhook } = await streamed();
  await office.record(tenantId, ...calls(1_000));
  const ended = office.ended(tenantId);
  await office.post();
  await ended;
  expect(receiver.messages).toHaveLength(2);
  expect(leavesOf(receiver.messages)).toEqual(upTo(1_000));
  const [message] = receiver.messages;
  const { data } = new Webhook(webhook.secret).verify(message?.body ?? '', { ...message?.headers }) as {
    data: { first_leaf: number; end_leaf: number; records: Array<Record<string, never>> };
  };
  expect([data.first_leaf, data.end_leaf]).toEqual([0, 500]);
  for (const { record, leaf_hash: hash } of data.records)
    expect(recordLeaf(record ?? ({} as never)).toString('base64')).toBe(hash);
  const again = office.ended(tenantId);
  await office.record(tenantId, ...calls(3, 1_000));
  await office.post();
  await again;
  expect(leavesOf(receiver.messages)).toEqual(upTo(1_003));
  expect(await office.webhook(webhook.id)).toMatchObject({ stream_next: '1003', stream_job_id: null });
});

test('a batch that was not taken is sent again as it was, and then what came after it', async () => {
  const { tenantId, receiver, webhook } = await streamed();
  receiver.answer((response) => response.writeHead(receiver.messages.length === 1 ? 500 : 200).end());
  await office.record(tenantId, ...calls(10));
  const ended = office.ended(tenantId);
  await office.post();
  await receiver.message(0);
  await office.record(tenantId, ...calls(5, 10));
  await office.post();
  await ended;
  const [first, second, ...rest] = receiver.messages;
  expect(second).toMatchObject({ id: first?.id, body: first?.body });
  expect(leavesOf([...(second ? [second] : []), ...rest])).toEqual(upTo(15));
  expect(await office.webhook(webhook.id)).toMatchObject({ stream_next: '15', failing_since: null });
});

test('OCSF events carry the number of their record', async () => {
  const { tenantId, receiver } = await streamed({ format: 'ocsf' });
  await office.record(tenantId, ...calls(2));
  await office.post();
  const events = recordsOf(await receiver.message(0));
  expect(events).toMatchObject([
    { class_uid: 6003, metadata: { version: '1.3.0', sequence: 0 } },
    { metadata: { sequence: 1 } },
  ]);
});

test('large records make small batches', async () => {
  const { tenantId, receiver } = await streamed();
  const large = { event: 'call.completed', details: { text: 'x'.repeat(300_000) } } as const;
  await office.record(tenantId, large, large, large, large, large);
  const ended = office.ended(tenantId);
  await office.post();
  await ended;
  expect(receiver.messages.map((message) => recordsOf(message).length)).toEqual([3, 2]);
});

test('a paused stream sends nothing, and resumed it goes on where it was', async () => {
  const { tenantId, receiver, webhook } = await streamed();
  await office.owner.query(`update webhooks set state = 'paused', paused_because = 'asked' where id = $1`, [
    webhook.id,
  ]);
  await office.record(tenantId, ...calls(4));
  await office.post();
  expect((await office.owner.query(`select from outbox where tenant_id = $1`, [tenantId])).rows).toEqual([]);
  await office.owner.query(`update webhooks set state = 'active', paused_because = null where id = $1`, [webhook.id]);
  await office.record(tenantId, ...calls(1, 4));
  await office.post();
  expect(leavesOf([await receiver.message(0)])).toEqual(upTo(5));
});

test('a stream’s job that is not its newest sends nothing, and an hour of failures begins a new one', async () => {
  const { tenantId, receiver, webhook } = await streamed();
  receiver.answer((response) => response.writeHead(500).end());
  await office.record(tenantId, ...calls(1));
  await office.post();
  await receiver.message(0);
  const { stream_job_id: before } = await office.webhook(webhook.id);
  expect(await office.runner.run({ tenantId, id: before }, 'last')).toMatchObject({ outcome: 'given-up' });
  const { stream_job_id: after } = await office.webhook(webhook.id);
  expect(after).not.toBe(before);
  receiver.answer((response) => response.writeHead(200).end());
  await office.owner.query(`update outbox set completed_at = null where id = $1`, [before]);
  const count = receiver.messages.length;
  expect(await office.runner.run({ tenantId, id: before }, 'more-left')).toEqual({ outcome: 'done' });
  expect(receiver.messages).toHaveLength(count);
  expect(await office.runner.run({ tenantId, id: after }, 'more-left')).toEqual({ outcome: 'done' });
  expect(receiver.messages).toHaveLength(count + 1);
});

test('no record of one tenant is in another’s stream', async () => {
  const [one, other] = [await streamed(), await streamed({ format: 'ocsf' })];
  for (const [{ tenantId }, canary] of [
    [one, 'CANARY-ONE'],
    [other, 'CANARY-OTHER'],
  ] as const)
    await office.record(tenantId, { event: 'call.completed', details: { canary }, target: `server:${newId()}` });
  await office.post();
  const [first, second] = [await one.receiver.message(0), await other.receiver.message(0)];
  expect(first.body).toContain('CANARY-ONE');
  expect(first.body).not.toContain('CANARY-OTHER');
  expect(second.body).not.toContain('CANARY-ONE');
});
