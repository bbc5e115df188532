import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Webhook } from 'standardwebhooks';
import { newId } from '#libs/database';
import type { WebhookReceiver } from '#libs/testing';
import { openPostOffice, subscribe, type PostOffice, type TestWebhook } from './webhooks.fixture.js';

let office: PostOffice;
beforeAll(async () => {
  office = await openPostOffice();
  office.work();
});

afterAll(() => office.close());

const subscribed = (more: Partial<TestWebhook> = {}) => subscribe(office, { events: ['release.*'], ...more });
const published = { event: 'release.published' } as const;

test('an event reaches its receiver, signed, as Standard Webhooks says', async () => {
  const { tenantId, receiver, webhook } = await subscribed();
  const person = newId();
  const [recordId] = await office.record(
    tenantId,
    { ...published, actor: { kind: 'person', id: person }, sourceAddress: '203.0.113.7' },
    { event: 'server.created' },
  );
  const ended = office.ended(tenantId);
  await office.post();
  const message = await receiver.message(0);
  expect(new Webhook(webhook.secret).verify(message.body, { ...message.headers })).toMatchObject({
    type: 'release.published',
    timestamp: expect.any(String),
    data: { id: recordId, leaf_index: 0, target: 'release:x', source_address: '203.0.113.7' },
  });
  await ended;
  const deliveries = await office.deliveries(tenantId);
  expect(deliveries).toMatchObject([{ id: message.id, state: 'delivered', attempts: 1, last_status: 204 }]);
  expect(() => new Webhook(webhook.secret).verify(`${message.body} `, { ...message.headers })).toThrow();
  expect(JSON.stringify(deliveries)).not.toContain('203.0.113.7');
});

test('a rollout that is taken back is told to whoever subscribed to rollouts', async () => {
  const { tenantId, receiver } = await subscribed({ events: ['rollout.*'] });
  await office.record(tenantId, published, { event: 'rollout.rolled_back', target: 'rollout:y' });
  await office.post();
  const { type, data } = JSON.parse((await receiver.message(0)).body);
  expect([type, data.target]).toEqual(['rollout.rolled_back', 'rollout:y']);
});

test('during a rotation both secrets check a message', async () => {
  const { tenantId, receiver, webhook } = await subscribed({ previousSecret: true });
  await office.record(tenantId, published);
  await office.post();
  const { body, headers } = await receiver.message(0);
  for (const secret of [webhook.secret, webhook.previousSecret])
    expect(new Webhook(secret).verify(body, { ...headers })).toBeDefined();
});

test('a signed checkpoint is delivered with its note', async () => {
  const { tenantId, receiver } = await subscribed({ events: ['audit.checkpoint'] });
  await office.record(tenantId, published);
  await office.post();
  const { type, data } = JSON.parse((await receiver.message(0)).body);
  expect([type, data.size]).toEqual(['audit.checkpoint', 1]);
  const { rows } = await office.owner.query(`select note from audit_checkpoints where tenant_id = $1`, [tenantId]);
  expect(data.note).toBe(rows[0].note);
});

test('what a receiver refuses is sent again under the same id until it is taken', async () => {
  const { tenantId, receiver, webhook } = await subscribed();
  receiver.answer((response) => response.writeHead(receiver.messages.length < 3 ? 503 : 200).end());
  await office.record(tenantId, published);
  const ended = office.ended(tenantId);
  await office.post();
  await receiver.message(2);
  await ended;
  expect(new Set(receiver.messages.map(({ id }) => id)).size).toBe(1);
  expect(await office.deliveries(tenantId)).toMatchObject([{ state: 'delivered', attempts: 3, last_failure: null }]);
  expect(await office.webhook(webhook.id)).toMatchObject({ state: 'active', failing_since: null });
});

test('a delivery that failed to its last attempt is dead, and a new job makes it under the same id', async () => {
  const { tenantId, receiver, webhook } = await subscribed();
  receiver.answer((response) => response.writeHead(500).end());
  await office.record(tenantId, published);
  await office.post();
  const { id } = await receiver.message(0);
  const [{ job_id: jobId }] = await office.deliveries(tenantId);
  expect(await office.runner.run({ tenantId, id: jobId }, 'last')).toMatchObject({ outcome: 'given-up' });
  expect(await office.deliveries(tenantId)).toMatchObject([
    { state: 'dead', last_status: 500, last_failure: 'The receiver answered 500.' },
  ]);
  receiver.answer((response) => response.writeHead(200).end());
  const before = receiver.messages.length;
  const job = newId();
  await office.owner.query(
    `insert into outbox (tenant_id, id, queue, name, payload, attempts_max)
     values ($1, $2, 'webhooks', 'deliver-webhook', $3, 18)`,
    [tenantId, job, { tenantId, webhookId: webhook.id, deliveryId: id }],
  );
  await office.owner.query(`update webhook_deliveries set state = 'pending', job_id = $2 where id = $1`, [id, job]);
  expect(await office.runner.run({ tenantId, id: job }, 'more-left')).toEqual({ outcome: 'done' });
  expect(receiver.messages[before]?.id).toBe(id);
  expect(await office.deliveries(tenantId)).toMatchObject([{ state: 'delivered' }]);
});

test('no event of one tenant reaches another’s receiver', async () => {
  const [one, other] = [await subscribed({ events: ['*'] }), await subscribed({ events: ['*'] })];
  const canaries = new Map([
    [one, 'CANARY-ONE'],
    [other, 'CANARY-OTHER'],
  ]);
  const ended = [one, other].map(({ tenantId }) => office.ended(tenantId, 2));
  for (const [{ tenantId }, canary] of canaries) await office.record(tenantId, { ...published, details: { canary } });
  await office.post();
  await Promise.all(ended);
  const seen = (receiver: WebhookReceiver) => receiver.messages.map(({ body }) => body).join();
  expect([one, other].map(({ receiver }) => receiver.messages.length)).toEqual([2, 2]);
  expect(seen(one.receiver)).toContain('CANARY-ONE');
  expect(seen(one.receiver)).not.toContain('CANARY-OTHER');
  expect(seen(other.receiver)).not.toContain('CANARY-ONE');
});

test('what is erased about a person is not in a message that is sent later', async () => {
  const { tenantId, receiver } = await subscribed();
  const person = newId();
  receiver.answer((response) => response.writeHead(receiver.messages.length < 2 ? 500 : 200).end());
  await office.record(tenantId, {
    ...published,
    actor: { kind: 'person', id: person },
    sourceAddress: '203.0.113.9',
  });
  await office.post();
  const first = await receiver.message(0);
  await office.owner.query(`delete from person_keys where person_id = $1`, [person]);
  const second = await receiver.message(1);
  expect(first.body).toContain('203.0.113.9');
  expect(second.body).not.toContain('203.0.113.9');
});
