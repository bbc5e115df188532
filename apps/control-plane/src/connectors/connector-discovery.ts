import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { resolveClient, type ConnectorSettings, type OwnIdentity, type UpstreamClient } from '#libs/connections';
import type { Database } from '#libs/database';
import { AppError } from '#libs/errors';
import { OpenIdFailure, OpenIdFetch, privateHostsOf } from '#libs/openid';
import { TENANT_DATABASE } from '../platform/tokens.js';

const DISCOVERY_MS = 20_000;

/** Finds out who grants tokens for an upstream, by asking it. */
@Injectable()
export class ConnectorDiscovery implements OnApplicationShutdown {
  readonly #http = new OpenIdFetch();

  constructor(@Inject(TENANT_DATABASE) private readonly database: Database) {}

  /** @throws AppError `unprocessable` with what is wrong with the upstream */
  async resolve(tenantId: string, settings: ConnectorSettings, own: OwnIdentity): Promise<UpstreamClient> {
    const hosts = await this.database.asTenant(tenantId, (tx) => privateHostsOf(tx, tenantId));
    const untilMs = Date.now() + DISCOVERY_MS;
    const fetch = this.#http.for(hosts);
    try {
      return await resolveClient(settings, own, (url, init) => {
        if (Date.now() > untilMs) throw new OpenIdFailure('unreachable', 'The upstream takes too long to answer.');
        return fetch(url, init);
      });
    } catch (error) {
      if (!(error instanceof OpenIdFailure)) throw error;
      throw new AppError('unprocessable', { message: error.message, cause: error });
    }
  }

  async onApplicationShutdown(): Promise<void> {
    await this.#http.stop();
  }
}
