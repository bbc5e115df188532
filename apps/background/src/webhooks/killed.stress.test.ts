import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { fileURLToPath } from 'node:url';
import { Webhook } from 'standardwebhooks';
import { startWebhookReceiver, type WebhookReceiver } from '#libs/testing';
import { openPostOffice, type PostOffice } from './webhooks.fixture.js';

const ENTRY = fileURLToPath(new URL('../../../../dist/apps/background/src/main.js', import.meta.url));
let office: PostOffice;
let receiver: WebhookReceiver;
const children: ChildProcess[] = [];

beforeAll(async () => {
  [office, receiver] = await Promise.all([openPostOffice(), startWebhookReceiver()]);
});

afterAll(async () => {
  await Promise.all(
    children.map(async (child) => {
      if (child.exitCode === null && child.signalCode === null && child.kill('SIGKILL')) await once(child, 'exit');
    }),
  );
  await Promise.all([office.close(), receiver.stop()]);
});

/** The background service as a process of its own. */
function startBackground(): ChildProcess {
  const child = spawn(process.execPath, [ENTRY], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      DATABASE_URL: office.store.databaseUrl,
      REDIS_URL: office.redisUrl,
      WHARF_MASTER_KEY: office.store.masterKey.reveal(),
      WHARF_INTAKE_KEY: 'k'.repeat(43),
      WHARF_RUNTIME_SOCKETS: '/nonexistent/runtime.sock',
      WHARF_PUBLIC_URL: 'http://localhost:4000',
      WHARF_LOG_LEVEL: 'silent',
    },
  });
  children.push(child);
  return child;
}

test.each(['each', 'stream'] as const)(
  'a process that is killed between sending and noting it leaves the message (%s) to another, under the same id',
  async (mode) => {
    const held: ServerResponse[] = [];
    receiver.answer((response) => void held.push(response));
    const tenantId = await office.newTenant();
    await office.open(tenantId, receiver.port);
    const { id, secret } = await office.newWebhook(tenantId, {
      url: receiver.url,
      mode,
      events: mode === 'each' ? ['release.*'] : ['*'],
    });
    await office.record(tenantId, { event: 'release.published' });
    const before = receiver.messages.length;
    const first = startBackground();
    const lost = await receiver.message(before);
    first.kill('SIGKILL');
    await once(first, 'exit');
    receiver.answer((response) => response.writeHead(200).end());
    const second = startBackground();
    const again = await receiver.message(before + 1);
    expect(again).toMatchObject({ id: lost.id, body: lost.body });
    expect(new Webhook(secret).verify(lost.body, { ...lost.headers })).toBeDefined();
    second.kill('SIGTERM');
    await once(second, 'exit');
    if (mode === 'stream') expect((await office.webhook(id)).stream_next).toBe('1');
    else expect(await office.deliveries(tenantId)).toMatchObject([{ id: lost.id, state: 'delivered' }]);
  },
);
