import { BullModule, getQueueToken } from '@nestjs/bullmq';
import { Module, type DynamicModule, type Provider } from '@nestjs/common';
import type { Queue } from 'bullmq';
import type { BlobStore } from '#libs/blobs';
import type { Secret } from '#libs/config';
import type { ChangeAnnouncer } from '#libs/changes';
import type { Database } from '#libs/database';
import { QUEUES } from '#libs/jobs';
import type { RuntimeClient, Supplier } from '#libs/protocol';
import { DataKeyRotator, MasterKeyRewrapper } from '#libs/rewrap';
import { TenantVault } from '#libs/secrets';
import type { QueueConnection } from '#libs/redis';
import type { Logger } from '#libs/telemetry';
import { ArchiveRetention } from './audit-log/archive-retention.js';
import { AuditArchiver } from './audit-log/audit-archiver.js';
import { AuditSequencer } from './audit-log/audit-sequencer.js';
import { BlobMover } from './blobs/blob-mover.js';
import { ObjectSweeper } from './blobs/object-sweeper.js';
import { DeletionClock } from './deletions/deletion-clock.js';
import { ExportRetention } from './exports/export-retention.js';
import { ExportTenant } from './exports/export-tenant.js';
import { ImportClock } from './imports/import-clock.js';
import { CheckDrift } from './drift/check-drift.js';
import { BreakerClock } from './breakers/breaker-clock.js';
import { DriftClock } from './drift/drift-clock.js';
import { DriftProcessor } from './drift/drift.processor.js';
import { JobRunner } from './jobs/job-runner.js';
import { OutboxRelay } from './outbox/relay.js';
import { ProbeClock } from './probes/probe-clock.js';
import { ProbeRetention } from './probes/probe-retention.js';
import { ProbeRunner } from './probes/probe-runner.js';
import { ProbesProcessor } from './probes/probes.processor.js';
import { RunProbes } from './probes/run-probes.js';
import { PublishRelease } from './releases/publish-release.js';
import { ReleasesProcessor } from './releases/releases.processor.js';
import { KeepWarm } from './releases/rollouts/keep-warm.js';
import { StartRollout } from './releases/rollouts/start-rollout.js';
import { WatchRollout } from './releases/rollouts/watch-rollout.js';
import { Retention } from './retention/retention.js';
import { ApprovalExpiry } from './retention/approval-expiry.js';
import { IdempotencyRetention } from './retention/idempotency-retention.js';
import { PastMemberRetention } from './retention/past-member-retention.js';
import { RollupRetention } from './retention/rollup-retention.js';
import { RevokeConnection } from './tenants/revoke-connection.js';
import { UsageRetention } from './retention/usage-retention.js';
import { EvictTenant } from './tenants/evict-tenant.js';
import { TellOwners } from './tenants/tell-owners.js';
import { MoveClock } from './tenant-moves/move-clock.js';
import { TenantsProcessor } from './tenants/tenants.processor.js';
import { LOGGER } from './tokens.js';
import { DeliverWebhook, type SendingParts } from './webhooks/deliver-webhook.js';
import { DeliveryRetention } from './webhooks/delivery-retention.js';
import { StreamRecords } from './webhooks/stream-records.js';
import { WebhooksProcessor } from './webhooks/webhooks.processor.js';

/** What the module is made of that is opened, and closed, outside it. */
export interface BackgroundParts {
  readonly database: Database;
  readonly masterKey: Secret;
  readonly runtime: RuntimeClient;
  readonly supplier: Supplier;
  readonly blobs: BlobStore;
  readonly announcer: Pick<ChangeAnnouncer, 'announce'>;
  readonly audit: AuditSequencer;
  readonly sending: SendingParts;
  /** Deletes tenants whose grace period is over. */
  readonly deletions: DeletionClock;
  readonly exports: ExportTenant;
  /** Moves tenants between databases. */
  readonly moves: MoveClock;
  /** Brings tenants in that operators uploaded. */
  readonly imports: ImportClock;
  /** The region whose tenants' jobs it does, beside those of tenants that have none. */
  readonly region: string | undefined;
  readonly queueConnection: QueueConnection;
  /** Asked for known vulnerabilities. */
  readonly registryUrl: string | undefined;
  /** How often upstream servers are held against what was approved. */
  readonly driftCheckSeconds: number;
  readonly logger: Logger;
}

/** The queues, their workers, the outbox relay and retention. */
@Module({})
export class BackgroundModule {
  static with(parts: BackgroundParts): DynamicModule {
    const { database, blobs, audit, queueConnection, logger } = parts;
    const { connection, prefix } = queueConnection;
    const runner = new JobRunner(database, handlersOf(parts), logger, parts.region);
    return {
      module: BackgroundModule,
      imports: [
        BullModule.forRoot({ connection, prefix }),
        BullModule.registerQueue(...QUEUES.map((name) => ({ name }))),
      ],
      providers: [
        { provide: LOGGER, useValue: logger },
        { provide: JobRunner, useValue: runner },
        { provide: AuditSequencer, useValue: audit },
        { provide: DeletionClock, useValue: parts.deletions },
        { provide: MoveClock, useValue: parts.moves },
        { provide: ImportClock, useValue: parts.imports },
        { provide: AuditArchiver, useValue: new AuditArchiver(database, blobs, logger, parts.region) },
        { provide: ArchiveRetention, useValue: new ArchiveRetention(database, logger) },
        { provide: BlobMover, useValue: new BlobMover(database, blobs, logger, parts.region) },
        { provide: ObjectSweeper, useValue: new ObjectSweeper(database, blobs, logger, parts.region) },
        { provide: DeliveryRetention, useValue: new DeliveryRetention(database, logger) },
        { provide: BreakerClock, useValue: new BreakerClock(parts) },
        { provide: DriftClock, useValue: new DriftClock({ ...parts, everySeconds: parts.driftCheckSeconds }) },
        ...keepers(parts),
        { provide: ProbeClock, useValue: new ProbeClock(database, logger) },
        { provide: ProbeRetention, useValue: new ProbeRetention(database, logger) },
        ...retentions(parts),
        { provide: ApprovalExpiry, useValue: new ApprovalExpiry(database, logger) },
        {
          provide: OutboxRelay,
          inject: QUEUES.map((name) => getQueueToken(name)),
          useFactory: (releases: Queue, tenants: Queue, webhooks: Queue, probesQueue: Queue, drift: Queue) =>
            new OutboxRelay(
              database,
              { releases, tenants, webhooks, probes: probesQueue, drift },
              runner,
              logger,
              parts.region,
            ),
        },
        ReleasesProcessor,
        ProbesProcessor,
        DriftProcessor,
        TenantsProcessor,
        WebhooksProcessor,
      ],
    };
  }
}

/** What seals anew under newer keys. */
function keepers({ database, masterKey, logger }: BackgroundParts): Provider[] {
  return [
    { provide: DataKeyRotator, useValue: new DataKeyRotator(database, new TenantVault(masterKey), logger) },
    { provide: MasterKeyRewrapper, useValue: new MasterKeyRewrapper(database, masterKey, 'background', logger) },
  ];
}

/** What deletes what is kept for a time only. */
function retentions({ database, logger }: BackgroundParts): Provider[] {
  return [
    { provide: ExportRetention, useValue: new ExportRetention(database, logger) },
    { provide: Retention, useValue: new Retention(database, logger) },
    { provide: IdempotencyRetention, useValue: new IdempotencyRetention(database, logger) },
    { provide: PastMemberRetention, useValue: new PastMemberRetention(database, logger) },
    { provide: RollupRetention, useValue: new RollupRetention(database, logger) },
    { provide: UsageRetention, useValue: new UsageRetention(database, logger) },
  ];
}

function handlersOf(parts: BackgroundParts): ConstructorParameters<typeof JobRunner>[1] {
  const { database, runtime, supplier, announcer, sending, logger } = parts;
  const probes = new ProbeRunner(database, runtime, supplier);
  return [
    new PublishRelease({ ...parts, probes }),
    new StartRollout({ ...parts, probes }),
    new WatchRollout(database, announcer, new KeepWarm(database, runtime, logger)),
    new RunProbes(database, probes),
    new CheckDrift(parts),
    new EvictTenant(database, runtime),
    parts.exports,
    new RevokeConnection(database, sending.vault),
    new TellOwners(database, parts.masterKey, logger),
    new DeliverWebhook(sending),
    new StreamRecords(sending),
  ];
}
