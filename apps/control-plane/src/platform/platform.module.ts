import { Module, type DynamicModule } from '@nestjs/common';
import type { BlobStore } from '#libs/blobs';
import type { ChangeAnnouncer } from '#libs/changes';
import type { Database } from '#libs/database';
import type { RuntimeClient } from '#libs/protocol';
import type { RedisStore } from '#libs/redis';
import { PersonKeys, TenantVault } from '#libs/secrets';
import type { Logger } from '#libs/telemetry';
import type { ControlPlaneConfig } from '../config.js';
import {
  ANNOUNCER,
  BLOBS,
  CONFIG,
  LOGGER,
  OPERATOR_DATABASE,
  PERSON_KEYS,
  REDIS,
  RUNTIME,
  TENANT_DATABASE,
  VAULT,
} from './tokens.js';

/** What the service holds open while it runs; whoever opened it closes it. */
export interface Platform {
  readonly config: ControlPlaneConfig;
  readonly tenantDatabase: Database;
  readonly operatorDatabase: Database;
  readonly redis: RedisStore;
  readonly announcer: ChangeAnnouncer;
  readonly runtime: RuntimeClient;
  readonly blobs: BlobStore;
  readonly logger: Logger;
}

/** Gives every room the connections and settings of this process. */
@Module({})
export class PlatformModule {
  static holding(platform: Platform): DynamicModule {
    const providers = [
      { provide: CONFIG, useValue: platform.config },
      { provide: TENANT_DATABASE, useValue: platform.tenantDatabase },
      { provide: OPERATOR_DATABASE, useValue: platform.operatorDatabase },
      { provide: REDIS, useValue: platform.redis },
      { provide: ANNOUNCER, useValue: platform.announcer },
      { provide: RUNTIME, useValue: platform.runtime },
      { provide: BLOBS, useValue: platform.blobs },
      { provide: LOGGER, useValue: platform.logger },
      { provide: PERSON_KEYS, useValue: new PersonKeys(platform.config.WHARF_MASTER_KEY) },
      { provide: VAULT, useValue: new TenantVault(platform.config.WHARF_MASTER_KEY) },
    ];
    return { module: PlatformModule, global: true, providers, exports: providers };
  }
}
