import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { PersonLogins } from '#libs/connections';
import type { Database } from '#libs/database';
import type { PersonTokens } from '#libs/protocol';
import type { TenantCaller } from '../access/caller.js';
import type { ControlPlaneConfig } from '../config.js';
import { CONFIG, TENANT_DATABASE } from '../platform/tokens.js';

/** The logins of whoever asks for something that looks at an upstream: their own, and nobody's for a key. */
@Injectable()
export class CallerLogins implements OnApplicationShutdown {
  readonly #logins: PersonLogins;

  constructor(@Inject(CONFIG) config: ControlPlaneConfig, @Inject(TENANT_DATABASE) database: Database) {
    this.#logins = PersonLogins.of('control-plane', database, config);
  }

  /** Answers with the caller's own tokens. */
  tokensFor({ tenantId, tenantSlug, principal }: TenantCaller): PersonTokens | undefined {
    if (principal.kind !== 'person') return undefined;
    this.#logins.forget(tenantId); // what changed is not told here, and this is asked for rarely
    return this.#logins.tokensFor({ tenantId, tenantSlug, accountId: principal.subject });
  }

  async onApplicationShutdown(): Promise<void> {
    await this.#logins.stop();
  }
}
