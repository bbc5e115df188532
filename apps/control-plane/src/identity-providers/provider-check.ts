import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Secret } from '#libs/config';
import type { Database } from '#libs/database';
import { AppError } from '#libs/errors';
import { discoverProvider, OpenIdFailure, OpenIdFetch, privateHostsOf } from '#libs/openid';
import { TENANT_DATABASE } from '../platform/tokens.js';

/** Whether people could be signed in with a provider, found out by asking it. */
@Injectable()
export class ProviderCheck implements OnApplicationShutdown {
  readonly #http = new OpenIdFetch();

  constructor(@Inject(TENANT_DATABASE) private readonly database: Database) {}

  /** @throws AppError `unprocessable` with what is wrong with the provider */
  async refuseUnusable(
    tenantId: string,
    { issuer, clientId, clientSecret }: { issuer: string; clientId: string; clientSecret: string },
  ): Promise<void> {
    const privateHosts = await this.database.asTenant(tenantId, (tx) => privateHostsOf(tx, tenantId));
    try {
      await discoverProvider({ issuer, clientId, clientSecret: new Secret(clientSecret) }, this.#http, privateHosts);
    } catch (error) {
      if (!(error instanceof OpenIdFailure)) throw error;
      throw new AppError('unprocessable', { message: error.message, cause: error });
    }
  }

  async onApplicationShutdown(): Promise<void> {
    await this.#http.stop();
  }
}
