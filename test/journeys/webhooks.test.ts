import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Webhook } from 'standardwebhooks';
import { freePort } from '#libs/embedded';
import { OperatorApi, signUp, WharfApi } from '#libs/journey';
import {
  OtlpReceiver,
  startWebhookReceiver,
  startWharf,
  until,
  type ReceivedMessage,
  type WebhookReceiver,
  type Wharf,
} from '#libs/testing';

/** A tenant is told of its events: through the management API, the audit log, the queue and a real receiver. */
let wharf: Wharf;
let receiver: WebhookReceiver;
let shop: TestTenant;
let twin: TestTenant;

interface TestTenant {
  readonly slug: string;
  readonly key: string;
  readonly api: WharfApi;
}

beforeAll(async () => {
  [wharf, receiver] = await Promise.all([startWharf(), startWebhookReceiver()]);
  [shop, twin] = [await newTenant('hooked'), await newTenant('hooked-twin')];
});

afterAll(() => Promise.all([wharf.stop(), receiver.stop()]));

async function newTenant(slug: string): Promise<TestTenant> {
  const person = { tenantName: slug, slug, email: `${slug}@example.com`, password: 'correct horse battery' };
  const { api_key: key } = await signUp(wharf.url, person);
  await open(slug, receiver.port);
  return { slug, key: key.text, api: new WharfApi({ publicUrl: wharf.url, apiKey: key.text }) };
}

const open = (slug: string, port: number) =>
  new OperatorApi({ publicUrl: wharf.url, operatorKey: wharf.operatorKey }).allowEgress(
    slug,
    '127.0.0.1',
    port,
    'a test',
  );

async function send(tenant: TestTenant, method: string, path: string, body?: object) {
  const answer = await fetch(`${wharf.url}/v1/webhooks${path}`, {
    method,
    headers: { authorization: `Bearer ${tenant.key}`, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  return { status: answer.status, body: text === '' ? undefined : JSON.parse(text) };
}

async function newWebhook(tenant: TestTenant, more: object = {}): Promise<{ path: string; secret: string }> {
  const shape = { mode: 'each', name: 'Builds', url: receiver.url, events: ['server.*'] };
  const { body } = await send(tenant, 'POST', '', { ...shape, ...more });
  return { path: `/${body.webhook.id}`, secret: body.secret };
}

const check = (secret: string, { body, headers }: ReceivedMessage) => new Webhook(secret).verify(body, { ...headers });

/** Does something that sends a message, and answers with the message. */
async function messageOf(act: () => Promise<unknown>, at = receiver): Promise<ReceivedMessage> {
  const before = at.messages.length;
  await act();
  return at.message(before);
}

test('what a tenant does is at its receiver a moment later, and never at its twin’s', async () => {
  const mine = await newWebhook(shop);
  const other = await newWebhook(twin);
  const message = await messageOf(() => shop.api.createServer('books', 'CANARY'));
  expect(check(mine.secret, message)).toMatchObject({ type: 'server.created', data: { outcome: 'ok' } });
  expect(() => check(other.secret, message)).toThrow();
  const { body } = await send(twin, 'GET', `${other.path}/deliveries`);
  expect(body.deliveries).toEqual([]);
  for (const webhook of [mine, other]) await send(webhook === mine ? shop : twin, 'DELETE', webhook.path);
});

test('rotated, both secrets check what is sent; without overlap only the new one', async () => {
  const { path, secret } = await newWebhook(shop);
  const rotated = (await send(shop, 'POST', `${path}/secret`, {})).body;
  const both = await messageOf(() => send(shop, 'POST', `${path}/test`));
  expect(check(secret, both)).toMatchObject({ type: 'webhook.test' });
  expect(check(rotated.secret, both)).toMatchObject({ type: 'webhook.test' });
  const last = (await send(shop, 'POST', `${path}/secret`, { overlap_seconds: 0 })).body;
  const one = await messageOf(() => send(shop, 'POST', `${path}/test`));
  expect(() => check(rotated.secret, one)).toThrow();
  expect(check(last.secret, one)).toMatchObject({ type: 'webhook.test' });
  await send(shop, 'DELETE', path);
});

test('a delivery is listed and replayed under its id', async () => {
  const { path, secret } = await newWebhook(shop);
  const first = await messageOf(() => send(shop, 'POST', `${path}/test`));
  const again = await messageOf(() => send(shop, 'POST', `${path}/deliveries/${first.id}/replay`));
  expect([again.id, again.body]).toEqual([first.id, first.body]);
  expect(check(secret, again)).toBeDefined();
  const { body } = await send(shop, 'GET', `${path}/deliveries`);
  expect(body.deliveries).toMatchObject([{ id: first.id, type: 'webhook.test' }]);
  expect((await send(twin, 'POST', `${path}/deliveries/${first.id}/replay`)).status).toBe(404);
  await send(shop, 'DELETE', path);
});

test('paused it is sent nothing; resumed it is sent what waited, and what happens from then on', async () => {
  const { path } = await newWebhook(shop);
  receiver.answer((response) => response.writeHead(500).end());
  const waiting = await messageOf(() => send(shop, 'POST', `${path}/test`));
  await send(shop, 'PATCH', path, { state: 'paused' });
  receiver.answer((response) => response.writeHead(204).end());
  expect((await send(shop, 'POST', `${path}/test`)).status).toBe(409);
  await shop.api.createServer('unheard', 'Unheard');
  const resumed = await messageOf(() => send(shop, 'PATCH', path, { state: 'active' }));
  expect(resumed.id).toBe(waiting.id);
  const next = await messageOf(() => shop.api.createServer('heard', 'Heard'));
  expect(JSON.parse(next.body).type).toBe('server.created');
  await send(shop, 'DELETE', path);
});

test('a stream brings the whole log from its first record, and goes on from where it is told', async () => {
  const records = ({ body }: ReceivedMessage) => JSON.parse(body).data.records;
  const own = await startWebhookReceiver();
  await open(shop.slug, own.port);
  const stream = { mode: 'stream', format: 'ocsf', from_leaf: 0, events: undefined, url: own.url };
  let created: Awaited<ReturnType<typeof newWebhook>> | undefined;
  const message = await messageOf(async () => (created = await newWebhook(shop, stream)), own);
  const path = created?.path ?? '';
  expect(records(message)[0]).toMatchObject({ metadata: { event_code: 'tenant.created', sequence: 0 } });
  await send(shop, 'PATCH', path, { from_leaf: 0, format: 'record' });
  // What was on its way in the other format may come first.
  const again = await until(() => own.messages.map(records).find(([first]) => 'record' in first), 'a record');
  expect(again[0]).toMatchObject({ leaf_index: 0, record: { event: 'tenant.created' } });
  await send(shop, 'DELETE', path);
  await own.stop();
});

test('a stream brings a collector the whole log as OTLP logs, with the headers that it wants', async () => {
  const collector = await OtlpReceiver.start();
  await open(shop.slug, Number(new URL(collector.endpoint).port));
  const url = `${collector.endpoint}/v1/logs`;
  const headers = { 'X-Api-Key': 'of the collector' };
  const { path } = await newWebhook(shop, {
    mode: 'stream',
    format: 'otlp',
    from_leaf: 0,
    events: undefined,
    url,
    headers,
  });
  await collector.untilLogs(1);
  expect(collector.logs[0]).toMatchObject({
    headers: { 'content-type': 'application/x-protobuf', 'x-api-key': 'of the collector' },
    logs: expect.arrayContaining([expect.objectContaining({ event: 'tenant.created', severity: 9 })]),
  });
  const before = collector.logs.length;
  await shop.api.createServer('collected', 'Collected');
  await collector.untilLogs(before + 1);
  await send(shop, 'DELETE', path);
  await collector.stop();
});

test('the receiver in the documentation takes what is signed, once, and refuses what is not', async () => {
  const [, code = ''] = /```js\n([\s\S]*?)```/.exec(readFileSync('docs/webhooks.md', 'utf8')) ?? [];
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/`;
  await open(shop.slug, port);
  const { path, secret } = await newWebhook(shop, { url });
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, WEBHOOK_SECRET: secret, PORT: String(port) },
  });
  const lines = child.stdout.setEncoding('utf8')[Symbol.asyncIterator]();
  expect((await lines.next()).value).toBe('listening\n');
  expect((await fetch(url, { method: 'POST', body: '{"type":"release.published"}' })).status).toBe(401);
  await send(shop, 'POST', `${path}/test`);
  expect((await lines.next()).value).toMatch(/^webhook\.test \S+\n$/);
  child.kill('SIGTERM');
  await once(child, 'exit');
  await send(shop, 'DELETE', path);
});
