import { getQueueToken } from '@nestjs/bullmq';
import { NestFactory } from '@nestjs/core';
import type { Queue } from 'bullmq';
import type { QueueName } from '#libs/jobs';
import { DataKeyRotator, MasterKeyRewrapper } from '#libs/rewrap';
import type { Logger } from '#libs/telemetry';
import { ArchiveRetention } from './audit-log/archive-retention.js';
import { AuditArchiver } from './audit-log/audit-archiver.js';
import { AuditSequencer } from './audit-log/audit-sequencer.js';
import { BlobMover } from './blobs/blob-mover.js';
import { ObjectSweeper } from './blobs/object-sweeper.js';
import { BackgroundModule, type BackgroundParts } from './background.module.js';
import { BreakerClock } from './breakers/breaker-clock.js';
import { DriftClock } from './drift/drift-clock.js';
import { DeletionClock } from './deletions/deletion-clock.js';
import { ExportRetention } from './exports/export-retention.js';
import { ImportClock } from './imports/import-clock.js';
import { JobRunner } from './jobs/job-runner.js';
import { pingQueues } from './outbox/queues.js';
import { OutboxRelay } from './outbox/relay.js';
import { ProbeClock } from './probes/probe-clock.js';
import { ProbeRetention } from './probes/probe-retention.js';
import { Retention } from './retention/retention.js';
import { ApprovalExpiry } from './retention/approval-expiry.js';
import { IdempotencyRetention } from './retention/idempotency-retention.js';
import { PastMemberRetention } from './retention/past-member-retention.js';
import { RollupRetention } from './retention/rollup-retention.js';
import { UsageRetention } from './retention/usage-retention.js';
import { MoveClock } from './tenant-moves/move-clock.js';
import type { Shutdown } from './shutdown.js';
import { DeliveryRetention } from './webhooks/delivery-retention.js';

const DRAIN_MS = 5_000;

/** The running queues, relay and retention. */
export interface Work {
  /** Throws when Redis does not answer. */
  pingQueues(): Promise<void>;
}

/** What runs beside the queues from start to stop. */
interface Running {
  start(): void;
  stop(): Promise<void>;
}

const ROOMS = [
  ['retention', Retention],
  ['webhook deliveries', DeliveryRetention],
  ['rollup-retention', RollupRetention],
  ['usage-retention', UsageRetention],
  ['approval-expiry', ApprovalExpiry],
  ['idempotency-retention', IdempotencyRetention],
  ['past-member-retention', PastMemberRetention],
  ['probe-retention', ProbeRetention],
  ['probe-clock', ProbeClock],
  ['drift-clock', DriftClock],
  ['breaker-clock', BreakerClock],
  ['audit-log', AuditSequencer],
  ['audit-archives', AuditArchiver],
  ['archive-retention', ArchiveRetention],
  ['blob-mover', BlobMover],
  ['object-sweeper', ObjectSweeper],
  ['deletions', DeletionClock],
  ['tenant-moves', MoveClock],
  ['imports', ImportClock],
  ['export-retention', ExportRetention],
  ['master-keys', MasterKeyRewrapper],
  ['data-keys', DataKeyRotator],
] as const;

/**
 * Starts the workers first, then what brings them jobs. The shutdown goes the other way: no new jobs, then the jobs in
 * flight, which are cut off after five seconds and run again elsewhere.
 */
export async function startWork(parts: BackgroundParts, shutdown: Shutdown, onOutbox: () => void): Promise<Work> {
  const app = await NestFactory.createApplicationContext(BackgroundModule.with(parts), {
    logger: false,
    abortOnError: false,
  });
  const runner = app.get(JobRunner);
  shutdown.add('workers', async () => {
    const timer = setTimeout(() => runner.stop(), DRAIN_MS);
    await app.close().finally(() => clearTimeout(timer));
  });
  const queueOf = (name: QueueName): Queue => logErrors(app.get(getQueueToken(name)), parts.logger);
  const queues = {
    releases: queueOf('releases'),
    tenants: queueOf('tenants'),
    webhooks: queueOf('webhooks'),
    probes: queueOf('probes'),
    drift: queueOf('drift'),
  };
  for (const [name, room] of ROOMS) {
    const running = app.get<Running>(room);
    shutdown.add(name, () => running.stop());
    running.start();
  }
  const relay = app.get(OutboxRelay);
  shutdown.add('relay', () => relay.stop());
  relay.start();
  const ring = (): void => {
    relay.ring();
    onOutbox();
  };
  const changes = await parts.database.listen('wharf_outbox', ring);
  shutdown.add('changes', () => changes.close());
  return { pingQueues: () => pingQueues(queues) };
}

/** A queue reconnects by itself; what it says meanwhile belongs in our log. */
function logErrors(queue: Queue, logger: Logger): Queue {
  return queue.on('error', (error) => logger.warn({ err: error, queue: queue.name }, 'queue error'));
}
