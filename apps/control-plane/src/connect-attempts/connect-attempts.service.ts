import { Inject, Injectable } from '@nestjs/common';
import { listSteps } from '#libs/connect-attempts';
import type { Database } from '#libs/database';
import { AppError } from '#libs/errors';
import type { TenantCaller } from '../access/caller.js';
import type { AnswerOf } from '../contract/contract.js';
import { TENANT_DATABASE } from '../platform/tokens.js';
import { ProfilesRepository } from '../profiles/profiles.repository.js';
import { ServersRepository } from '../servers/servers.repository.js';
import { attemptsOf } from './attempts.js';
import type { listConnectAttempts } from './connect-attempts.schema.js';
import { reportOf } from './report.js';

/** Shows a tenant how agents fared that tried to connect. */
@Injectable()
export class ConnectAttemptsService {
  constructor(
    @Inject(TENANT_DATABASE) private readonly database: Database,
    @Inject(ServersRepository) private readonly servers: ServersRepository,
    @Inject(ProfilesRepository) private readonly profiles: ProfilesRepository,
  ) {}

  /** @throws AppError `not_found` */
  async list({ tenantId }: TenantCaller, slug: string): Promise<AnswerOf<typeof listConnectAttempts>> {
    const rows = await this.database.asTenant(tenantId, async (tx) => {
      if ((await this.servers.find(tx, tenantId, slug)) === undefined) throw new AppError('not_found');
      return listSteps(tx, tenantId, slug);
    });
    return { attempts: attemptsOf(rows) };
  }

  /** The same at a profile's URL. @throws AppError `not_found` */
  async listOfProfile({ tenantId }: TenantCaller, slug: string): Promise<AnswerOf<typeof listConnectAttempts>> {
    const rows = await this.database.asTenant(tenantId, async (tx) => {
      if ((await this.profiles.find(tx, tenantId, slug)) === undefined) throw new AppError('not_found');
      return listSteps(tx, tenantId, slug);
    });
    return { attempts: attemptsOf(rows) };
  }

  /** @throws AppError `not_found` */
  async report(caller: TenantCaller, slug: string): Promise<string> {
    return reportOf(slug, (await this.list(caller, slug)).attempts);
  }
}
