import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openPostOffice, subscribe, type PostOffice, type TestWebhook } from './webhooks.fixture.js';

let office: PostOffice;
beforeAll(async () => {
  office = await openPostOffice();
  office.work();
});

afterAll(() => office.close());

const subscribed = (more: Partial<TestWebhook> = {}) => subscribe(office, { events: ['release.*'], ...more });
const published = { event: 'release.published' } as const;

test('a receiver that hangs holds up nobody else, and its attempt ends at the deadline', async () => {
  const [slow, quick] = [await subscribed(), await subscribed()];
  slow.receiver.answer(() => {});
  await office.record(slow.tenantId, ...Array.from({ length: 40 }, () => published));
  await office.post();
  await slow.receiver.message(2);
  await office.record(quick.tenantId, published);
  await office.post();
  await quick.receiver.message(0);
  expect(slow.receiver.messages).toHaveLength(3);
  await slow.receiver.message(3);
  const first = (await office.deliveries(slow.tenantId)).find(({ attempts }) => attempts > 0);
  expect(first).toMatchObject({ state: 'pending', last_status: null, last_failure: 'No answer within 10 seconds.' });
  await office.owner.query(`update webhooks set state = 'paused', paused_because = 'asked' where id = $1`, [
    slow.webhook.id,
  ]);
});

test('a receiver that answers without end has answered, and nothing of it is kept', async () => {
  const { tenantId, receiver } = await subscribed();
  let sent = 0;
  receiver.answer((response) => {
    const pump = (): void => {
      while (sent < 2 ** 30 && !response.destroyed && response.write('RESPONSE-CANARY'.repeat(1_000))) sent += 15_000;
    };
    response.writeHead(200).on('drain', pump);
    pump();
  });
  await office.record(tenantId, published);
  const ended = office.ended(tenantId);
  await office.post();
  await ended;
  expect(await office.deliveries(tenantId)).toMatchObject([{ state: 'delivered', last_status: 200 }]);
  expect(JSON.stringify(await office.deliveries(tenantId))).not.toContain('CANARY');
  expect(sent).toBeLessThan(2 ** 26);
});

test('a redirect is not followed', async () => {
  const { tenantId, receiver, webhook } = await subscribed();
  const inner = await subscribed();
  receiver.answer((response) => response.writeHead(307, { location: inner.receiver.url }).end());
  await office.record(tenantId, published);
  await office.post();
  await receiver.message(0);
  await receiver.message(1);
  expect((await office.webhook(webhook.id)).last_failure).toBe(
    'The receiver answered 307: redirects are not followed.',
  );
  expect(inner.receiver.messages).toEqual([]);
});

test.each([
  ['http://127.0.0.1:{port}/', 'Use an https URL.'],
  ['https://127.0.0.1:{port}/', '127.0.0.1 is not a public address.'],
  ['https://[::ffff:127.0.0.1]:{port}/', '::ffff:7f00:1 is not a public address.'],
  ['https://169.254.169.254/latest', '169.254.169.254 is not a public address.'],
  ['https://localhost:{port}/', 'localhost is not a name on the public internet.'],
  ['https://2130706433:{port}/', '127.0.0.1 is not a public address.'],
])('%s is not dialled unless an operator opened it', async (url, reason) => {
  const { tenantId, receiver } = await subscribed();
  const stranger = await office.newTenant();
  const { id } = await office.newWebhook(stranger, { url: url.replace('{port}', String(receiver.port)) });
  await office.record(stranger, published);
  await office.post();
  const [delivery] = await office.deliveries(stranger);
  await office.runner.run({ tenantId: stranger, id: delivery.job_id }, 'last');
  expect((await office.webhook(id)).last_failure).toBe(reason);
  expect(receiver.messages).toEqual([]);
  expect(tenantId).not.toBe(stranger);
});

test('a webhook that failed for days is paused, visibly, and one that answers 410 at once', async () => {
  for (const [status, days, because] of [
    [500, 4, 'failing'],
    [410, 0, 'gone'],
  ] as const) {
    const { tenantId, receiver, webhook } = await subscribed();
    receiver.answer((response) => response.writeHead(status).end());
    await office.owner.query(
      `update webhooks set failing_since = now() - make_interval(days => $2) where id = $1 and $2 > 0`,
      [webhook.id, days],
    );
    await office.record(tenantId, published);
    await office.post();
    const [{ job_id: jobId }] = await office.deliveries(tenantId);
    await office.runner.run({ tenantId, id: jobId }, 'more-left');
    expect(await office.webhook(webhook.id)).toMatchObject({ state: 'paused', paused_because: because });
    const { rows } = await office.owner.query(
      `select outcome from audit_records where tenant_id = $1 and event = 'webhook.paused'`,
      [tenantId],
    );
    expect(rows).toEqual([{ outcome: because }]);
    await office.record(tenantId, published);
    await office.post();
    expect(await office.deliveries(tenantId)).toHaveLength(1);
  }
});

test('a webhook whose receiver takes nothing has a bounded queue', async () => {
  const { tenantId, webhook } = await subscribed();
  await office.owner.query(
    `insert into webhook_deliveries (tenant_id, id, webhook_id, type, job_id)
     select $1, gen_random_uuid(), $2, 'webhook.test', gen_random_uuid() from generate_series(1, 10000)`,
    [tenantId, webhook.id],
  );
  await office.record(tenantId, published);
  await office.post();
  expect(await office.webhook(webhook.id)).toMatchObject({ state: 'paused', paused_because: 'overflowing' });
  expect(await office.deliveries(tenantId)).toHaveLength(10_000);
});
