import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { Secret } from '#libs/config';
import { Database } from '#libs/database';
import { queueMail } from '#libs/mail';
import { createLogger } from '#libs/telemetry';
import { testDatabase, type TestDatabase } from '#libs/testing';
import { MailRelay } from './mail-relay.js';
import { folderTransport, smtpTransport, type MailTransport } from './mail-transport.js';
import { startSmtp } from './smtp.fixture.js';

const FROM = 'Wharf <no-reply@wharf.test>';
const logger = createLogger('background', 'silent');

let store: TestDatabase;
let background: Database;
let control: Database;
let owner: Client;
let folder: string;

beforeAll(async () => {
  store = await testDatabase();
  [background, control] = (await Promise.all(
    (['wharf_background', 'wharf_control'] as const).map((role) => Database.connect({ ...store, role })),
  )) as [Database, Database]; // one for each role
  owner = new Client({ connectionString: store.databaseUrl });
  await owner.connect();
});
afterAll(async () => {
  await Promise.all([background.close(), control.close(), owner.end()]);
  await store.drop();
});
beforeEach(async () => {
  folder = path.join(await mkdtemp(path.join(tmpdir(), 'wharf-mail-')), 'mail');
});
afterEach(async () => {
  await rm(path.dirname(folder), { recursive: true });
  await owner.query('delete from mail_outbox');
});

async function queued(to: string | undefined, usefulSeconds = 600): Promise<void> {
  const mail = { to, subject: 'Grüße', text: 'https://wharf.test/link?token=the-token\n', usefulSeconds };
  await control.asService((tx) => queueMail(tx, store.masterKey, mail));
}

function relayTo(transport: MailTransport): MailRelay {
  return new MailRelay(background, store.masterKey, transport, logger);
}

async function waiting(): Promise<Array<{ attempts: number; isDue: boolean }>> {
  const { rows } = await owner.query(`select attempts, due_at <= now() as "isDue" from mail_outbox`);
  return rows;
}

test('without an SMTP server a mail becomes a file that only its owner reads, and leaves the outbox', async () => {
  await queued('ana@acme.test');
  await queued(undefined);
  const relay = relayTo(folderTransport(folder, FROM, logger));
  expect(await relay.relay()).toBe(2);
  const files = await readdir(folder);
  expect(files).toHaveLength(1);
  const file = path.join(folder, files[0] ?? '');
  expect(await readFile(file, 'utf8')).toMatch(/To: ana@acme\.test\n[\s\S]*Subject: Grüße\n\n.*the-token/);
  expect((await stat(file)).mode & 0o077).toBe(0);
  expect(await waiting()).toEqual([]);
});

test('the folder keeps the newest 200', async () => {
  const transport = folderTransport(folder, FROM, logger);
  for (let count = 0; count < 203; count += 1) {
    await transport.send({ id: String(count).padStart(4, '0'), to: 'a@b.test', subject: 's', text: 't' });
  }
  const files = await readdir(folder);
  expect([files.length, files.toSorted()[0]]).toEqual([200, '0003.txt']);
});

test('nothing of a mail can be read in the outbox, and one whose link has expired is never sent', async () => {
  await queued('ana@acme.test', -1);
  const { rows } = await owner.query<{ sealed: string }>(`select encode(sealed, 'escape') as sealed from mail_outbox`);
  expect(rows[0]?.sealed).not.toMatch(/ana@acme|the-token/);
  expect(await relayTo(folderTransport(folder, FROM, logger)).relay()).toBe(0);
  expect(await waiting()).toEqual([]);
});

test('a mail goes through SMTP, again after the server refused it, and once', async () => {
  const server = await startSmtp();
  const transport = smtpTransport(new Secret(`smtp://127.0.0.1:${server.port}`), FROM);
  await queued('ana@acme.test');
  const relay = relayTo(transport);
  server.refuse = true;
  await relay.relay();
  expect(await waiting()).toEqual([{ attempts: 1, isDue: false }]);
  server.refuse = false;
  await owner.query(`update mail_outbox set due_at = now()`);
  await relay.relay();
  await relay.relay();
  expect(server.messages).toHaveLength(1);
  expect(server.messages[0]).toMatch(/^From: Wharf <no-reply@wharf\.test>/m);
  expect(server.messages[0]).toMatch(/^To: ana@acme\.test/m);
  expect(server.messages[0]).toMatch(/^Message-ID: <[0-9a-f-]{36}@wharf\.test>/m);
  expect(await waiting()).toEqual([]);
  transport.close();
  server.close();
});

test('a mail that a crashed sender had claimed is due again when its lease is over; two senders share the rest', async () => {
  await Promise.all(Array.from({ length: 20 }, (_, index) => queued(`person${index}@acme.test`)));
  const sent: string[] = [];
  const transport: MailTransport = { send: async ({ to }) => void sent.push(to), close: () => undefined };
  await Promise.all([relayTo(transport).relay(), relayTo(transport).relay()]);
  expect(sent.toSorted()).toEqual(Array.from({ length: 20 }, (_, index) => `person${index}@acme.test`).toSorted());
  await queued('late@acme.test');
  await owner.query(`update mail_outbox set attempts = 1, due_at = now() + interval '5 minutes'`);
  expect(await relayTo(transport).relay()).toBe(0);
  await owner.query(`update mail_outbox set due_at = now()`);
  expect(await relayTo(transport).relay()).toBe(1);
});
