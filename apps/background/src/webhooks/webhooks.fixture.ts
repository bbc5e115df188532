import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { Queue, Worker, type Job } from 'bullmq';
import { Client } from 'pg';
import { appendAudit, type AuditEntry } from '#libs/audit';
import { Database, newId } from '#libs/database';
import { type QueueName } from '#libs/jobs';
import { PersonKeys, TenantVault } from '#libs/secrets';
import { createLogger } from '#libs/telemetry';
import { startWebhookReceiver, testDatabase, testRedis, type WebhookReceiver } from '#libs/testing';
import { AuditSequencer } from '../audit-log/audit-sequencer.js';
import { WORKER_OPTIONS } from '../jobs/job-processor.js';
import { JobRunner } from '../jobs/job-runner.js';
import type { Queues } from '../outbox/queues.js';
import { OutboxRelay } from '../outbox/relay.js';
import { DeliverWebhook } from './deliver-webhook.js';
import { WebhookSender } from './sender.js';
import { StreamRecords } from './stream-records.js';
import { WebhooksProcessor } from './webhooks.processor.js';

const PREFIX = 'wharf';

type TestEntry = Partial<Omit<AuditEntry, 'details'>> & { readonly details?: Readonly<Record<string, unknown>> };

/** A webhook as a test asks for it. */
export interface TestWebhook {
  readonly url: string;
  readonly mode?: 'each' | 'stream';
  readonly events?: readonly string[];
  readonly format?: 'record' | 'ocsf' | 'otlp';
  readonly headers?: Readonly<Record<string, string>>;
  readonly previousSecret?: true;
}

/** A database, a Redis, and what brings records of the audit log to receivers. */
export async function openPostOffice() {
  const [store, redis] = await Promise.all([testDatabase(), testRedis()]);
  const background = await Database.connect({ ...store, role: 'wharf_background' });
  const control = await Database.connect({ ...store, role: 'wharf_control' });
  const owner = new Client({ connectionString: store.databaseUrl });
  await owner.connect();
  const connection = { url: redis.redisUrl };
  const queueOf = (name: QueueName): Queue => new Queue(name, { connection, prefix: PREFIX });
  const queues: Queues = {
    releases: queueOf('releases'),
    tenants: queueOf('tenants'),
    webhooks: queueOf('webhooks'),
    probes: queueOf('probes'),
    drift: queueOf('drift'),
  };
  const logger = createLogger('background', 'silent');
  const vault = new TenantVault(store.masterKey);
  const persons = new PersonKeys(store.masterKey);
  const sender = new WebhookSender();
  const sending = { database: background, vault, persons, sender };
  const runner = new JobRunner(background, [new DeliverWebhook(sending), new StreamRecords(sending)], logger);
  const relay = new OutboxRelay(background, queues, runner, logger);
  const receivers: WebhookReceiver[] = [];
  const key = generateKeyPairSync('ed25519').privateKey;
  const sequencer = new AuditSequencer({
    database: background,
    persons,
    key,
    publicUrl: new URL('https://wharf.test'),
    logger,
  });
  const processor = new WebhooksProcessor(runner, logger);
  const worker = new Worker('webhooks', (job, token) => processor.process(job, token), {
    ...WORKER_OPTIONS,
    concurrency: 16,
    connection,
    prefix: PREFIX,
    autorun: false,
  });
  worker.on('error', () => {});
  return {
    store,
    redisUrl: redis.redisUrl,
    runner,
    owner,
    ...tenantsOf(control, owner, vault),

    /** Lets the worker take jobs. */
    work: () => void worker.run(),

    /** Numbers what has arrived and hands the jobs to their queue. */
    async post() {
      await sequencer.sequence();
      await relay.relay();
    },

    /** Resolves when so many jobs of a tenant have completed from now on. */
    ended: (tenantId: string, jobs = 1) =>
      new Promise<void>((resolve) => {
        let left = jobs;
        const count = (job: Job): void => {
          if (job.data.tenantId !== tenantId || (left -= 1) > 0) return;
          worker.off('completed', count);
          resolve();
        };
        worker.on('completed', count);
      }),

    receivers,

    async close() {
      await worker.close();
      await Promise.all(Object.values(queues).map((queue) => queue.close()));
      await sender.close();
      await Promise.all([background.close(), control.close(), owner.end()]);
      await store.drop();
      await Promise.all(receivers.map((receiver) => receiver.stop()));
    },
  };
}

/** The post office of one test file. */
export type PostOffice = Awaited<ReturnType<typeof openPostOffice>>;

/** A tenant with a webhook to a receiver that an operator opened, which stops with the office. */
export async function subscribe(office: PostOffice, more: Partial<TestWebhook>) {
  const receiver = await startWebhookReceiver();
  office.receivers.push(receiver);
  const tenantId = await office.newTenant();
  await office.open(tenantId, receiver.port);
  const webhook = await office.newWebhook(tenantId, { url: receiver.url, ...more });
  return { tenantId, receiver, webhook };
}

/** Writes what the control plane and operators would write. */
function tenantsOf(control: Database, owner: Client, vault: TenantVault) {
  return {
    async newTenant(): Promise<string> {
      const id = newId();
      await owner.query(`insert into tenants (id, slug, name) values ($1, $2, 'T')`, [id, `t-${id}`]);
      return id;
    },

    /** As an operator does who lets a tenant call a private address. */
    open: (tenantId: string, port: number, host = '127.0.0.1') =>
      owner.query(
        `insert into egress_allowances (tenant_id, id, host, port, reason) values ($1, $2, $3, $4, 'a test')`,
        [tenantId, newId(), host, port],
      ),

    async newWebhook(tenantId: string, webhook: TestWebhook) {
      const { url, mode = 'each', events = ['*'], format = 'record', previousSecret, headers } = webhook;
      const id = newId();
      const secrets = [secretText(), secretText()];
      await control.asTenant(tenantId, async (tx) => {
        const [now, before] = await Promise.all(
          secrets.map((secret) => vault.seal(tx, tenantId, `webhook:${id}`, secret)),
        );
        const kept = previousSecret === true ? before : undefined;
        await tx.query(
          `insert into webhooks (tenant_id, id, name, url, mode, events, format, state, data_key_id, secret, stream_next,
             previous_data_key_id, previous_secret, previous_secret_expires_at)
           values ($1, $2, 'W', $3, $4, $5, $6, 'active', $7, $8, 0, $9, $10, now() + interval '1 hour')`,
          [
            tenantId,
            id,
            url,
            mode,
            events,
            format,
            now?.dataKeyId,
            now?.ciphertext,
            kept?.dataKeyId ?? null,
            kept?.ciphertext ?? null,
          ],
        );
        if (headers === undefined) return;
        const sealed = await vault.seal(tx, tenantId, `webhook-headers:${id}`, JSON.stringify(headers));
        await tx.query(`update webhooks set header_names = $2, headers_data_key_id = $3, headers = $4 where id = $1`, [
          id,
          Object.keys(headers),
          sealed.dataKeyId,
          sealed.ciphertext,
        ]);
      });
      return { id, secret: secrets[0] ?? '', previousSecret: secrets[1] ?? '' };
    },

    /** Appends records; returns their ids. */
    async record(tenantId: string, ...entries: readonly TestEntry[]): Promise<string[]> {
      const written = entries.map((entry) => ({
        id: newId(),
        event: 'release.published' as const,
        actor: { kind: 'system', id: 'test' } as const,
        target: 'release:x',
        outcome: 'ok',
        ...entry,
      }));
      await control.asTenant(tenantId, (tx) => appendAudit(tx, tenantId, written as AuditEntry[])); // with details of the test's own
      return written.map(({ id }) => id);
    },

    webhook: async (id: string) => (await owner.query(`select * from webhooks where id = $1`, [id])).rows[0],
    deliveries: async (tenantId: string) =>
      (await owner.query(`select * from webhook_deliveries where tenant_id = $1 order by id`, [tenantId])).rows,
  };
}

function secretText(): string {
  return `whsec_${randomBytes(32).toString('base64')}`;
}
