import { Inject, Injectable } from '@nestjs/common';
import { appendAudit } from '#libs/audit';
import type { Database } from '#libs/database';
import { AppError } from '#libs/errors';
import { doneBy, type TenantCaller } from '../access/caller.js';
import type { AnswerOf, InputOf } from '../contract/contract.js';
import { TENANT_DATABASE } from '../platform/tokens.js';
import { ServersRepository } from '../servers/servers.repository.js';
import { ServerPeopleRepository } from './server-people.repository.js';
import type { getServerPeople, putServerPeople } from './server-people.schema.js';

/** Which of a tenant's people may connect which of its servers. */
@Injectable()
export class ServerPeopleService {
  constructor(
    @Inject(TENANT_DATABASE) private readonly database: Database,
    @Inject(ServersRepository) private readonly servers: ServersRepository,
    @Inject(ServerPeopleRepository) private readonly people: ServerPeopleRepository,
  ) {}

  /** @throws AppError `not_found` */
  async get({ tenantId }: TenantCaller, slug: string): Promise<AnswerOf<typeof getServerPeople>> {
    return this.database.asTenant(tenantId, async (tx) => {
      const server = await this.servers.find(tx, tenantId, slug);
      if (server === undefined) throw new AppError('not_found');
      return this.people.get(tx, tenantId, server.id);
    });
  }

  /** @throws AppError `not_found`, `unprocessable` for people who are no members */
  async put(
    caller: TenantCaller,
    { params, body, precondition }: InputOf<typeof putServerPeople>,
  ): Promise<AnswerOf<typeof putServerPeople>> {
    const { tenantId } = caller;
    return this.database.asTenant(tenantId, async (tx) => {
      const server = await this.servers.lock(tx, tenantId, params.server);
      if (server === undefined) throw new AppError('not_found');
      precondition.require(await this.people.get(tx, tenantId, server.id));
      const strangers = await this.people.strangers(tx, tenantId, body.members);
      if (strangers.length > 0) {
        const message = `These are no members: ${strangers.slice(0, 5).join(', ')}. Invite them first.`;
        throw new AppError('unprocessable', { message, problems: [{ pointer: '/members', message }] });
      }
      await this.people.replace(tx, tenantId, server.id, body);
      const entry = { event: 'server.people_changed', target: `server:${server.id}`, details: body } as const;
      await appendAudit(tx, tenantId, [doneBy(caller, entry)]);
      return this.people.get(tx, tenantId, server.id);
    });
  }
}
