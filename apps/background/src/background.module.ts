import { BullModule, getQueueToken } from '@nestjs/bullmq';
import { Module, type DynamicModule } from '@nestjs/common';
import type { Queue } from 'bullmq';
import type { ChangeAnnouncer } from '#libs/changes';
import type { Database } from '#libs/database';
import { QUEUES } from '#libs/jobs';
import type { RuntimeClient, Supplier } from '#libs/protocol';
import type { Logger } from '#libs/telemetry';
import { AuditArchiver } from './audit-log/audit-archiver.js';
import { AuditSequencer } from './audit-log/audit-sequencer.js';
import { JobRunner } from './jobs/job-runner.js';
import { OutboxRelay } from './outbox/relay.js';
import { PublishRelease } from './releases/publish-release.js';
import { ReleaseCheck } from './releases/release-check.js';
import { ReleasesProcessor } from './releases/releases.processor.js';
import { KeepWarm } from './releases/rollouts/keep-warm.js';
import { StartRollout } from './releases/rollouts/start-rollout.js';
import { WatchRollout } from './releases/rollouts/watch-rollout.js';
import { Retention } from './retention/retention.js';
import { EvictTenant } from './tenants/evict-tenant.js';
import { TenantsProcessor } from './tenants/tenants.processor.js';
import { LOGGER } from './tokens.js';

/** Every key of ours in Redis begins with it. */
const KEY_PREFIX = 'wharf';

/** What the module is made of that is opened, and closed, outside it. */
export interface BackgroundParts {
  readonly database: Database;
  readonly runtime: RuntimeClient;
  readonly supplier: Supplier;
  readonly announcer: Pick<ChangeAnnouncer, 'announce'>;
  readonly audit: AuditSequencer;
  readonly redisUrl: string;
  readonly logger: Logger;
}

/** The queues, their workers, the outbox relay and retention. */
@Module({})
export class BackgroundModule {
  static with({ database, runtime, supplier, announcer, audit, redisUrl, logger }: BackgroundParts): DynamicModule {
    const check = new ReleaseCheck(runtime, supplier);
    const runner = new JobRunner(
      database,
      [
        new PublishRelease(database, check, announcer),
        new StartRollout(database, check, announcer),
        new WatchRollout(database, announcer, new KeepWarm(database, runtime, logger)),
        new EvictTenant(database, runtime),
      ],
      logger,
    );
    return {
      module: BackgroundModule,
      imports: [
        BullModule.forRoot({ connection: { url: redisUrl }, prefix: KEY_PREFIX }),
        BullModule.registerQueue(...QUEUES.map((name) => ({ name }))),
      ],
      providers: [
        { provide: LOGGER, useValue: logger },
        { provide: JobRunner, useValue: runner },
        { provide: AuditSequencer, useValue: audit },
        { provide: AuditArchiver, useValue: new AuditArchiver(database, logger) },
        { provide: Retention, useValue: new Retention(database, logger) },
        {
          provide: OutboxRelay,
          inject: [getQueueToken('releases'), getQueueToken('tenants')],
          useFactory: (releases: Queue, tenants: Queue) =>
            new OutboxRelay(database, { releases, tenants }, runner, logger),
        },
        ReleasesProcessor,
        TenantsProcessor,
      ],
    };
  }
}
